"""UME-MMA: unimodal encoders, augmented by missing modalities."""
