"""Imputers: what fills the holes of modality sets, before the encoders or behind them."""
