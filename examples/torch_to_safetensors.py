#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the weights of a PyTorch model as safetensors, for nn::load_safetensors. Needs only PyTorch.

usage: torch_to_safetensors.py WEIGHTS.pt OUT.safetensors

WEIGHTS.pt is what torch.save(model.state_dict(), path) wrote, or a dictionary that has one under
"state_dict" or "model". From Python: `write_safetensors(path, model.state_dict())`.
"""
import json
import sys

try:
    import torch
except ImportError:
    sys.exit("torch_to_safetensors.py: needs PyTorch (pip install torch)")

DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL",
          torch.float16: "F16", torch.bfloat16: "BF16"}


def raw(tensor: torch.Tensor) -> bytes:
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype == torch.bfloat16:  # NumPy does not know it
        tensor = tensor.view(torch.int16)
    return tensor.numpy().astype(tensor.numpy().dtype.newbyteorder("<")).tobytes()


def write_safetensors(path, state, metadata=None):
    """8 bytes with the header's length, the header in JSON, the elements; large items first, so that
    every tensor begins at a multiple of its item's size."""
    header = {"__metadata__": metadata} if metadata else {}
    for name, tensor in state.items():
        if tensor.dtype not in DTYPES:
            raise SystemExit(f"{name} is {tensor.dtype}; need one of {', '.join(map(str, DTYPES))}")
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape)}
    end, parts = 0, []
    for name in sorted(state, key=lambda name: -state[name].element_size()):
        parts.append(raw(state[name]))
        header[name]["data_offsets"] = [end, end + len(parts[-1])]
        end += len(parts[-1])
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    state = torch.load(sys.argv[1], map_location="cpu")
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    write_safetensors(sys.argv[2], state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
