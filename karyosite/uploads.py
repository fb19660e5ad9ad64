"""The first guard of an upload: a file past the limit is not written to disk at all."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from karyosite.env import environment


class LimitedUploadHandler(FileUploadHandler):
    """Skips a file once it passes KARYOSITE_UPLOAD_MAX_BYTES; the request notes its name in `request.META`."""

    chunk_size = 2**20

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._received += len(raw_data)
        if self._received > environment.upload_max_bytes:
            if self.request is not None:
                self.request.META.setdefault("karyosite.too_large", []).append(self.file_name)
            raise SkipFile()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
