"""Turn tensors, data frames and sparse matrices into plain data and back; see `plain_values`.

Types are told by identity with the classes of the imported libraries, whatever modules they name.
"""

import sys

import numpy as np

TAGS = frozenset(
    [
        *("tensor", "frame", "series", "index", "multi_index", "range_index"),
        *("timestamp", "timedelta64", "nat", "na", "sparse", "polars_frame", "polars_series"),
    ]
)


def encode_table(encoder, value, kind, depth):
    """Return the tree of a value of torch, pandas, SciPy or polars; None of anything else."""
    torch = sys.modules.get("torch")
    if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
        return encode_tensor(torch, encoder, value, depth)
    pandas = sys.modules.get("pandas")
    if pandas is not None and hasattr(pandas, "DataFrame"):
        tree = encode_pandas(pandas, encoder, value, kind, depth)
        if tree is not None:
            return tree
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and sparse.issparse(value):
        matrix = value.tocoo()
        parts = [encoder.tree(p, depth + 1) for p in (matrix.data, matrix.row, matrix.col)]
        return {"": "sparse", "f": value.format, "v": parts, "s": list(value.shape)} | {
            "array": isinstance(value, getattr(sparse, "sparray", ()))
        }
    polars = sys.modules.get("polars")
    if polars is not None and hasattr(polars, "DataFrame"):
        return encode_polars(polars, encoder, value, kind, depth)
    return None


def decode_table(decoder, tree):
    """Return the value of a tree with one of the tags."""
    tag = tree[""]
    if tag == "tensor":
        return decode_tensor(decoder, tree)
    if tag == "sparse":
        from scipy import sparse

        data, row, column = (decoder.value(part) for part in tree["v"])
        kind = sparse.coo_array if tree["array"] else sparse.coo_matrix
        return kind((data, (row, column)), shape=tuple(tree["s"])).asformat(tree["f"])
    if tag.startswith("polars"):
        return decode_polars(decoder, tree)
    return decode_pandas(decoder, tree)


# ------------------------------------------------------------ torch


def encode_tensor(torch, encoder, tensor, depth):
    """Return the tree of a tensor: its values, whether it has a gradient, and which."""
    if tensor.layout is not torch.strided or tensor.is_quantized:
        return None
    plain = tensor.detach().to("cpu").resolve_conj().resolve_neg().contiguous()
    dtype = str(plain.dtype).removeprefix("torch.")
    if plain.dtype == torch.bfloat16:
        plain = plain.view(torch.int16)
    tree = {"": "tensor", "d": dtype, "p": type(tensor) is torch.nn.Parameter}
    tree["v"] = encoder.array_tree(plain.numpy(), np.ndarray, depth)
    tree["r"] = bool(tensor.requires_grad)
    if tensor.is_leaf and tensor.grad is not None:
        tree["g"] = encode_tensor(torch, encoder, tensor.grad, depth)
    return tree


def decode_tensor(decoder, tree):
    """Return a tensor of its own, with its gradient."""
    import torch

    array = np.array(decoder.value(tree["v"]))
    tensor = torch.from_numpy(array) if array.ndim else torch.tensor(array[()])
    dtype = getattr(torch, tree["d"])
    tensor = tensor.view(dtype) if dtype == torch.bfloat16 else tensor.to(dtype)
    if tree["p"]:
        tensor = torch.nn.Parameter(tensor, requires_grad=tree["r"])
    elif tree["r"]:
        tensor.requires_grad_()
    if tree.get("g") is not None:
        tensor.grad = decode_tensor(decoder, tree["g"])
    return tensor


# ------------------------------------------------------------ pandas


def encode_pandas(pandas, encoder, value, kind, depth):
    """Return the tree of a data frame, a series, an index or one of their values, or None."""
    if value is pandas.NaT:
        return {"": "nat"}
    if value is pandas.NA:
        return {"": "na"}
    if kind is pandas.Timestamp:
        zone = None if value.tz is None else str(value.tz)
        return {"": "timestamp", "v": value.isoformat(), "z": zone, "u": value.unit}
    if kind is pandas.Timedelta:
        return {"": "timedelta64", "v": encoder.tree(value.to_timedelta64(), depth + 1)}
    if kind is pandas.DataFrame:
        columns = [
            encode_column(pandas, encoder, value.iloc[:, number], depth)
            for number in range(value.shape[1])
        ]
        if None in columns:
            return None
        index, names = (
            encode_index(pandas, encoder, part, depth) for part in (value.index, value.columns)
        )
        return {"": "frame", "v": columns, "i": index, "c": names}
    if kind is pandas.Series:
        column = encode_column(pandas, encoder, value, depth)
        if column is None:
            return None
        index = encode_index(pandas, encoder, value.index, depth)
        return {"": "series", "v": column, "i": index, "n": encoder.tree(value.name, depth + 1)}
    if isinstance(value, pandas.Index) and kind.__module__.startswith("pandas"):
        return encode_index(pandas, encoder, value, depth)
    return None


def encode_index(pandas, encoder, index, depth):
    """Return the tree of an index of any kind."""
    names = [encoder.tree(name, depth + 1) for name in index.names]
    if type(index) is pandas.RangeIndex:
        fields = encoder.tree(range(index.start, index.stop, index.step), depth + 1)
        return {"": "range_index", "v": fields, "n": names}
    if type(index) is pandas.MultiIndex:
        levels = [encode_index(pandas, encoder, level, depth) for level in index.levels]
        codes = [encoder.tree(np.asarray(code), depth + 1) for code in index.codes]
        return {"": "multi_index", "v": levels, "k": codes, "n": names}
    column = encode_column(pandas, encoder, index, depth)
    if column is None:
        column = {"d": "object", "v": encoder.tree(list(index), depth + 1)}
    return {"": "index", "v": column, "n": names}


def encode_column(pandas, encoder, holder, depth):
    """Return the tree of the values of a series or an index; None of an unknown dtype."""
    dtype, array = holder.dtype, holder.array
    if isinstance(dtype, pandas.CategoricalDtype):
        categories = encode_index(pandas, encoder, dtype.categories, depth)
        codes = encoder.tree(np.asarray(array.codes), depth + 1)
        return {"d": "category", "c": categories, "o": bool(dtype.ordered), "v": codes}
    if isinstance(dtype, pandas.DatetimeTZDtype):
        moments = encoder.tree(np.asarray(array.asi8), depth + 1)
        return {"d": "zoned", "u": dtype.unit, "z": str(dtype.tz), "v": moments}
    if isinstance(dtype, np.dtype):
        values = encoder.array_tree(holder.to_numpy(), np.ndarray, depth)
        return {"d": "numpy", "v": values}
    if isinstance(dtype, pandas.StringDtype) or hasattr(array, "_mask"):
        missing = np.asarray(pandas.isna(array))
        values = [None if gap else value for value, gap in zip(array, missing, strict=True)]
        column = {"d": str(dtype), "v": encoder.tree(values, depth + 1)}
        if isinstance(dtype, pandas.StringDtype):
            column |= {"t": dtype.storage, "na": dtype.na_value is pandas.NA}
        return column
    return None


def decode_pandas(decoder, tree):
    """Return the value of a tree with a tag of pandas."""
    import pandas as pd

    tag = tree[""]
    if tag in ("nat", "na"):
        return pd.NaT if tag == "nat" else pd.NA
    if tag == "timestamp":
        moment = pd.Timestamp(tree["v"])
        moment = moment if tree["z"] is None or moment.tz is None else moment.tz_convert(tree["z"])
        return moment.as_unit(tree["u"])
    if tag == "timedelta64":
        return pd.Timedelta(decoder.value(tree["v"]))
    if tag == "series":
        column = decode_column(pd, decoder, tree["v"])
        index = decode_pandas(decoder, tree["i"])
        return pd.Series(column, index=index, name=decoder.value(tree["n"]))
    if tag == "frame":
        index, names = decode_pandas(decoder, tree["i"]), decode_pandas(decoder, tree["c"])
        columns = [decode_column(pd, decoder, part) for part in tree["v"]]
        frame = pd.DataFrame(dict(enumerate(columns)), index=index)
        frame.columns = names
        return frame
    names = [decoder.value(name) for name in tree["n"]]
    if tag == "range_index":
        return pd.RangeIndex(decoder.value(tree["v"]), name=names[0])
    if tag == "multi_index":
        levels = [decode_pandas(decoder, level) for level in tree["v"]]
        codes = [decoder.value(code) for code in tree["k"]]
        return pd.MultiIndex(levels=levels, codes=codes, names=names)
    column = decode_column(pd, decoder, tree["v"])
    is_object = isinstance(column, np.ndarray) and column.dtype.kind == "O"
    return pd.Index(column, name=names[0], dtype=object if is_object else None)


def decode_column(pandas, decoder, tree):
    """Return the values of one column."""
    values = decoder.value(tree["v"])
    dtype = tree["d"]
    if dtype == "numpy":
        return values
    if dtype == "category":
        categories = decode_pandas(decoder, tree["c"])
        return pandas.Categorical.from_codes(values, categories=categories, ordered=tree["o"])
    if dtype == "zoned":
        moments = np.asarray(values).view(f"datetime64[{tree['u']}]")
        return pandas.DatetimeIndex(moments).tz_localize("UTC").tz_convert(tree["z"]).array
    if dtype == "object":
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    if "t" in tree:
        missing = pandas.NA if tree["na"] else np.nan
        return pandas.array(values, dtype=pandas.StringDtype(tree["t"], na_value=missing))
    return pandas.array(values, dtype=dtype)


# ------------------------------------------------------------ polars


def encode_polars(polars, encoder, value, kind, depth):
    """Return the tree of a frame or a series of polars, or None."""
    if kind is polars.Series:
        values = encoder.tree(value.to_list(), depth + 1)
        return {"": "polars_series", "n": value.name, "d": str(value.dtype), "v": values}
    if kind is polars.DataFrame:
        columns = [encode_polars(polars, encoder, c, type(c), depth) for c in value.get_columns()]
        return {"": "polars_frame", "v": columns}
    return None


def decode_polars(decoder, tree):
    """Return a frame or a series of polars; types that its values don't tell are inferred."""
    import polars as pl

    if tree[""] == "polars_frame":
        return pl.DataFrame([decode_polars(decoder, column) for column in tree["v"]])
    dtype = getattr(pl, tree["d"], None)
    dtype = dtype if isinstance(dtype, type) else None
    return pl.Series(tree["n"], decoder.value(tree["v"]), dtype=dtype)
