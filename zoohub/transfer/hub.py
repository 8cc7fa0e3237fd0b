"""`hf://owner/repo/path[@revision]`: the Hugging Face Hub, through its own library.

The library downloads into its own cache, with its own token and settings; the bytes are then
read from there and verified like any other.
"""

from __future__ import annotations

from pathlib import Path

from zoohub.transfer.local import open_file
from zoohub.transfer.origin import Reply, Request, SourceError
from zoohub.transfer.plan import hub_file


class HubOrigin:
    """The `hf:` scheme; `offline` uses only what the library's cache already has."""

    def __init__(self, *, offline: bool, timeout: float) -> None:
        self._offline = offline
        self._timeout = timeout

    def open(self, request: Request) -> Reply:
        """Let the library fetch the file, then open it in its cache."""
        return open_file(self._fetch(request.url).open("rb", buffering=0), request)

    def close(self) -> None:
        """Nothing is held open."""

    def _fetch(self, url: str) -> Path:
        import huggingface_hub
        from huggingface_hub import errors

        wanted = hub_file(url)
        if wanted is None:
            raise SourceError("refused", f"{url!r} is not hf://owner/repo/path[@revision]")
        if self._offline:
            # Looks at the disk, and at nothing else: `hf_hub_download` may still ask the network.
            cached = huggingface_hub.try_to_load_from_cache(
                wanted.repo, wanted.path, revision=wanted.revision
            )
            if not isinstance(cached, str):
                raise SourceError("unreachable", "it is not in huggingface_hub's cache")
            return Path(cached)
        try:
            return Path(
                huggingface_hub.hf_hub_download(
                    wanted.repo,
                    wanted.path,
                    revision=wanted.revision,
                    etag_timeout=self._timeout,
                )
            )
        except errors.GatedRepoError as error:
            raise SourceError(
                "denied", f"the repository asks for approval: {_line(error)}"
            ) from None
        except errors.LocalEntryNotFoundError as error:
            raise SourceError("unreachable", _line(error)) from None
        except (errors.RepositoryNotFoundError, errors.EntryNotFoundError) as error:
            raise SourceError("gone", _line(error)) from None
        except errors.RevisionNotFoundError as error:
            raise SourceError("gone", _line(error)) from None
        except errors.HfHubHTTPError as error:
            status = getattr(error.response, "status_code", 0)
            kind = "denied" if status in (401, 403) else "transient" if status >= 500 else "gone"
            raise SourceError(kind, _line(error)) from None  # type: ignore[arg-type]
        except OSError as error:
            raise SourceError("unreachable", _line(error)) from None
        except ValueError as error:
            raise SourceError("refused", _line(error)) from None
        except Exception as error:  # the library and those below it raise many more
            raise SourceError("gone", _line(error)) from None


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))
