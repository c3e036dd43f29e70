"""Talks to a Label Studio server: token, patience, and errors that say what to do.

Legacy tokens go along as they are. A personal access token is exchanged for short-lived ones,
anew whenever the server no longer accepts the last one, so that clocks need not agree.
"""

import base64
import json as jsonlib
import random
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from garments.errors import StudioDenied, StudioDown, StudioRefused

if TYPE_CHECKING:
    import httpx

LONGEST_WAIT = 5.0
"""Seconds between two attempts, at most."""

Files = Mapping[str, tuple[str, bytes, str]]
"""Uploads by field: file name, bytes, media type."""


class Connection:
    """One server and one token; safe to use from several threads."""

    def __init__(self, url: str, token: str, attempts: int = 6, timeout: float = 60.0) -> None:
        """Nothing is sent before the first request. `timeout` is in seconds, for each attempt."""
        import httpx

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StudioDown(f"expected an address like http://127.0.0.1:8080, but got {url!r}")
        self.url, self.attempts = url.rstrip("/"), attempts
        self._token, self._scheme = token.strip(), "Token"
        self._refresh = ""
        if kind := _jwt_kind(self._token):
            self._scheme = "Bearer"
            if kind == "refresh":
                self._refresh, self._token = self._token, ""
        # A proxy from the environment must not get in between us and our own machine.
        own = parts.hostname in ("127.0.0.1", "localhost", "::1")
        self._http = httpx.Client(timeout=timeout, trust_env=not own)
        self.server_date: str | None = None

    def close(self) -> None:
        """Let go of open connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
        files: Files | None = None,
        replay: bool = True,
    ) -> Any:
        """The JSON of the answer, None where there is none.

        Lost connections and 5xx are tried again, unless `replay` is False; 4xx never are.
        """
        attempts = self.attempts if replay else 1
        for attempt in range(attempts):
            try:
                return self._once(method, path, json=json, params=params, files=files)
            except StudioDown:
                if attempt == attempts - 1:
                    raise
                pause(attempt)
        raise AssertionError("attempts is at least 1")

    def _once(self, method: str, path: str, **body: Any) -> Any:
        """One attempt; a token that has expired is exchanged once."""
        if not self._token:
            self._exchange()
        response = self._send(method, path, {"Authorization": self._authorization}, **body)
        if response.status_code == 401 and self._refresh:
            self._exchange()
            response = self._send(method, path, {"Authorization": self._authorization}, **body)
        return self._answer(response, f"{method} {path}")

    @property
    def _authorization(self) -> str:
        return f"{self._scheme} {self._token}"

    def _exchange(self) -> None:
        """Get a short-lived token for the personal access token."""
        what = "POST /api/token/refresh/"
        response = self._send("POST", "/api/token/refresh/", {}, json={"refresh": self._refresh})
        answer = self._answer(response, what)
        if not isinstance(answer, dict) or not isinstance(answer.get("access"), str):
            raise self._foreign(what)
        self._token = answer["access"]

    def _send(
        self, method: str, path: str, headers: dict[str, str], **body: Any
    ) -> "httpx.Response":
        import httpx

        try:
            response = self._http.request(method, self.url + path, headers=headers, **body)
            self.server_date = response.headers.get("date")  # the server's clock, not ours
            return response
        except httpx.TransportError as error:
            raise StudioDown(
                f"expected Label Studio at {self.url}, but {_reason(error)}; start it "
                "(`garmentloop annotate up`) or mend the address (--url, LABEL_STUDIO_URL)"
            ) from error
        except httpx.InvalidURL as error:
            raise StudioDown(f"expected a web address, but {self.url} is none: {error}") from error

    def _answer(self, response: "httpx.Response", what: str) -> Any:
        code = response.status_code
        if 300 <= code < 400:
            target = response.headers.get("location", "elsewhere")
            raise StudioRefused(
                f"expected Label Studio at {self.url}, but it sends us on to {target}; give the "
                "address that it really has with --url or LABEL_STUDIO_URL"
            )
        if code >= 500:
            raise StudioDown(
                f"expected an answer to {what} from {self.url}, but the server failed ({code}: "
                f"{_detail(response)}); look at its log, then run this again"
            )
        if code in (401, 403):
            raise self._denied(response, what)
        if code >= 400:
            raise StudioRefused(
                f"expected {self.url} to accept {what}, but it said {code}: {_detail(response)}"
            )
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise self._foreign(what) from None

    def _denied(self, response: "httpx.Response", what: str) -> StudioDenied:
        said = _detail(response)
        if response.status_code == 403:
            return StudioDenied(
                f"expected {self.url} to allow {what}, but it does not ({said}); mend what is "
                "asked, or use the token of a user with more rights"
            )
        return StudioDenied(
            f"expected a token that {self.url} accepts, but it was refused ({said}); copy a fresh "
            "one from Account & Settings in Label Studio into LABEL_STUDIO_API_KEY"
        )

    def _foreign(self, what: str) -> StudioDown:
        return StudioDown(
            f"expected Label Studio at {self.url}, but what answers {what} there is another "
            "program; mend the address (--url, LABEL_STUDIO_URL)"
        )

    def version(self) -> str:
        """The server's version; raises `StudioDown` where it is no Label Studio."""
        what = "GET /api/version/"
        try:
            answer = self._answer(self._send("GET", "/api/version/", {}), what)
        except StudioRefused as error:
            if "sends us on" in str(error):
                raise
            raise self._foreign(what) from error
        if not isinstance(answer, dict) or "label-studio-os-package" not in answer:
            raise self._foreign(what)
        return str(answer.get("release") or answer["label-studio-os-package"].get("version"))


def pause(attempt: int) -> None:
    """Wait before the next attempt: twice as long each time, and never in step with others."""
    time.sleep(min(LONGEST_WAIT, 0.2 * 2**attempt) * random.uniform(0.75, 1.25))


def _jwt_kind(token: str) -> str | None:
    """`refresh` for a personal access token, `access` for a short-lived one, else None."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = jsonlib.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return str(payload.get("token_type", "refresh"))
    except (ValueError, AttributeError):
        return None


def _reason(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.ConnectError):
        return f"nothing answers there ({error})"
    if isinstance(error, httpx.TimeoutException):
        return "it gave no answer in time"
    return f"the connection was lost ({error or type(error).__name__})"


def _detail(response: "httpx.Response") -> str:
    """What the server says went wrong, in at most 300 characters."""
    try:
        data = response.json()
    except ValueError:
        text = response.reason_phrase
    else:
        said = data if isinstance(data, dict) else {}
        more = said.get("validation_errors")
        text = jsonlib.dumps(more) if more else str(said.get("detail") or data)
    return text if len(text) <= 300 else text[:297] + "..."
