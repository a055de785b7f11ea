"""The imputation arena: those who impute a lost modality against those who do without it."""
