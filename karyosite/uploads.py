"""The first guards of an upload: nothing past the limit is written to disk, nothing cut off half way gets through."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http.multipartparser import MultiPartParserError

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

    def upload_complete(self) -> None:
        """Django takes a body that ends before its last boundary for a whole one; evidence must not be taken so.

        The request's stream knows how far the client's announced length was reached.
        Raises MultiPartParserError, which pages and API answer with 400.
        """
        stream = getattr(self.request, "_stream", None)
        position, limit = getattr(stream, "_pos", None), getattr(stream, "limit", None)
        if position is not None and limit is not None and position < limit:
            raise MultiPartParserError("The upload was cut off half way.")
