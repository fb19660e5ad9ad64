"""What this machine's processor does well."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FAST = {"avx512_bf16", "amx_bf16", "bf16"}  # as /proc/cpuinfo calls them on x86-64 and on arm64


@cache
def multiplies_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.split(":", 1)[1] for line in lines if line.startswith(("flags", "Features"))), "")
    return bool(_FAST & set(flags.split()))
