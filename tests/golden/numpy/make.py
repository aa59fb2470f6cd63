"""Makes shapes.json and helpers.json: what NumPy says of pairs of shapes, and of the first exercises.

python3 tests/golden/numpy/make.py
"""

import itertools
import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent

SHAPES = [(), (1,), (3,), (1, 3), (3, 1), (3, 4), (4, 3), (2, 3, 4), (2, 4, 3)]
OPERATIONS = {"+": np.add, "dot": np.dot, "matmul": np.matmul, "inner": np.inner}


def outcome(operation, left, right):
    """The shape of the result, or the text of the error."""
    try:
        return {"shape": np.shape(operation(np.ones(left), np.ones(right)))}
    except ValueError as error:
        return {"error": str(error).strip()}


def shapes():
    return [
        {"op": name, "left": left, "right": right, **outcome(operation, left, right)}
        for name, operation in OPERATIONS.items()
        for left, right in itertools.product(SHAPES, SHAPES)
    ]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def helpers():
    x = np.array([1.0, 2.0, 3.0])
    s = sigmoid(x)
    image = np.arange(18.0).reshape(3, 3, 2) / 20
    rows = np.array([[0.0, 3.0, 4.0], [1.0, 6.0, 4.0]])
    scores = np.array([[9.0, 2.0, 5.0, 0.0, 0.0], [7.0, 5.0, 0.0, 0.0, 0.0]])
    powers = np.exp(scores)
    yhat = np.array([0.9, 0.2, 0.1, 0.4, 0.9])
    y = np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    x1 = np.array([9.0, 2, 5, 0, 0, 7, 5, 0, 0, 0, 9, 2, 5, 0, 0])
    x2 = np.array([9.0, 2, 2, 9, 0, 9, 2, 5, 0, 0, 9, 2, 5, 0, 0])
    column = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    flat = column[:, 0]
    return {
        "sigmoid of 3": sigmoid(3.0),
        "sigmoid": s,
        "sigmoid derivative": s * (1 - s),
        "image2vector": image.reshape(-1, 1),
        "row norms": np.linalg.norm(rows, axis=1, keepdims=True),
        "normalised rows": rows / np.linalg.norm(rows, axis=1, keepdims=True),
        "softmax": powers / powers.sum(axis=1, keepdims=True),
        "softmax in full": powers / powers.sum(axis=1, keepdims=True),
        "L1": np.abs(yhat - y).sum(),
        "L1 derivative": np.sign(yhat - y),
        "L2": np.dot(yhat - y, yhat - y),
        "L2 derivative": 2 * (yhat - y),
        "norm 1": np.linalg.norm(yhat - y, 1),
        "norm 2": np.linalg.norm(yhat - y),
        "norm inf": np.linalg.norm(yhat - y, np.inf),
        "Frobenius norm": np.linalg.norm(rows),
        "dot": np.dot(x1, x2),
        "outer": np.outer(x1, x2),
        "product": x1 * x2,
        "flat dot flat": np.dot(flat, flat.T),
        "column dot row": np.dot(column, column.T),
        "column minus flat": column - flat,
        "column minus column": column - flat.reshape(5, 1),
    }


def write(name, text):
    (HERE / name).write_text(text + "\n")


def lines(items):
    return ",\n".join(items)


if __name__ == "__main__":
    note = f'"made by": "NumPy {np.__version__}, make.py"'
    cases = lines(json.dumps(case) for case in shapes())
    write("shapes.json", f'{{{note}, "cases": [\n{cases}\n]}}')
    values = lines(
        f'{json.dumps(name)}: {{"shape": {list(np.shape(value))}, "data": {np.ravel(value).tolist()}}}'
        for name, value in helpers().items()
    )
    write("helpers.json", f'{{{note}, "values": {{\n{values}\n}}}}')
