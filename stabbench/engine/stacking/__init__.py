"""The seed axis: many seeds' weights in one model, their batches packed, their random streams apart."""
