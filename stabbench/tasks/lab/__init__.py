"""The lab tier: a small generated language, a checkpoint pretrained on it, and the tasks to fine-tune it on."""
