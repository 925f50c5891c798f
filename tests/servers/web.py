"""Web servers that list a directory: nginx, and Python's http.server, which knows no ranges."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import urllib.error
import urllib.request

from .base import SECRET, Server, apt
from .objects import files


class WebServer(Server):
    """A folder of files behind HTTP."""

    scheme = "http"
    product = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dumps/"

    def write(self) -> None:
        """Put the files there, before the server starts."""
        every = {f"dumps/{key}": body for key, body in files().items()} | {"secret.csv": b"no,listing\n1,2\n"}
        for key, body in every.items():
            path = self.data / "www" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        (self.data / "www" / "index.html").write_text("<html><title>Shop</title><a href='dumps/'>x</a></html>")

    def ready(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2).close()
        except urllib.error.HTTPError:
            return True
        return True

    def dump(self) -> object:
        return {
            str(path.relative_to(self.data)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in sorted((self.data / "www").rglob("*"))
            if path.is_file()
        }

    def access_log(self) -> list[str]:
        """Return the methods of the requests so far."""
        return re.findall(r'"([A-Z]+) /\S* HTTP/1', self.requests())

    def requests(self) -> str:
        """Return the access log."""
        raise NotImplementedError


class Nginx(WebServer):
    """nginx with autoindex; closed with a password; `noindex` lists nothing and gives files by name."""

    name = "nginx"
    product = "nginx"
    modes = ("open", "noindex", "closed")

    def install(self) -> None:
        self.binary = apt("nginx-light", binary="nginx")

    def command(self) -> list[str]:
        self.write()
        rules = "" if self.mode == "noindex" else "autoindex on;"
        if self.closed:
            made = subprocess.run(["openssl", "passwd", "-apr1", SECRET], capture_output=True, text=True, check=True)
            (self.data / "passwords").write_text(f"u:{made.stdout}")
            rules += f" auth_basic x; auth_basic_user_file {self.data}/passwords;"
        temporary = "".join(
            f"{name}_temp_path {self.data}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        server = f"server {{ listen 127.0.0.1:{self.port}; root {self.data}/www; location / {{ {rules} }} }}"
        config = f"user root; daemon off; pid {self.data}/pid; error_log {self.data}/errors; events {{}}\n"
        config += f"http {{ access_log {self.data}/access; {temporary} {server} }}\n"
        (self.data / "nginx.conf").write_text(config)
        return [self.binary, "-c", str(self.data / "nginx.conf")]

    def requests(self) -> str:
        return (self.data / "access").read_text()


class PythonHttp(WebServer):
    """Python's http.server: HTTP/1.0, no ranges, no password."""

    name = "pythonhttp"
    product = "SimpleHTTP"
    modes = ("open",)

    def install(self) -> None:
        """Nothing to install."""

    def command(self) -> list[str]:
        self.write()
        folder = str(self.data / "www")
        return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, str(self.port)]

    def requests(self) -> str:
        return self.log
