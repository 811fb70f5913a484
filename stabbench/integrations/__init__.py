"""What a training script of one's own adds to tell stabbench more than a score."""
