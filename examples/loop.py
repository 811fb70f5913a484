"""A training loop in plain PyTorch, measured as a function: python loop.py."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn

import stabbench

EPOCHS = 5
DATA = train_test_split(*load_breast_cancer(return_X_y=True), test_size=0.3, random_state=0)


def train(seed: int) -> dict:
    """A small network on a table of measurements; the seed draws its weights, its dropout and the order of the rows."""
    torch.manual_seed(seed)
    x, x_dev, y, y_dev = (torch.as_tensor(part, dtype=torch.float32) for part in DATA)
    mean, std = x.mean(0), x.std(0)
    model = nn.Sequential(nn.Linear(x.shape[1], 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(32):
            outputs = model((x[rows] - mean) / std).squeeze(1)
            loss = nn.functional.binary_cross_entropy_with_logits(outputs, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        predictions = (model((x_dev - mean) / std).squeeze(1) > 0).int()
    return {"score": (predictions == y_dev).float().mean(), "losses": losses, "predictions": predictions}


def constant_score() -> float:
    """The accuracy of the best constant prediction: the share of the larger class."""
    share = float(DATA[3].mean())
    return max(share, 1 - share)


if __name__ == "__main__":
    print(stabbench.measure(train, name="loop", metric="accuracy", seeds=10, constant_score=constant_score()))
