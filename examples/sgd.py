"""scikit-learn's SGDClassifier on texts, without torch; its seed shuffles the rows: python sgd.py SEED ALPHA FOLDER."""

import csv
import json
import sys
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss

HERE = Path(__file__).parent


def main(seed: int, alpha: float, folder: Path) -> None:
    """Train, and write the metrics."""
    with (HERE / "notes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    texts, moods = [row["note"] for row in rows], [row["mood"] for row in rows]
    vectorizer = TfidfVectorizer()
    x = vectorizer.fit_transform(texts[:200])
    model = SGDClassifier(loss="log_loss", alpha=alpha, max_iter=5, tol=None, random_state=seed).fit(x, moods[:200])
    x_dev = vectorizer.transform(texts[200:])
    metrics = {
        "accuracy": accuracy_score(moods[200:], model.predict(x_dev)),
        "log_loss": log_loss(moods[200:], model.predict_proba(x_dev), labels=model.classes_),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
