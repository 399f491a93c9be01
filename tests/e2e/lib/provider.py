"""An identity provider's introspection (RFC 7662), honest or not."""
import http.server
import json
import socket
import ssl
import threading


class Provider:
    """Answers POSTs; reply is what it says, as JSON, as (status, body, headers), or a function of the handler."""

    def __init__(self, reply=None, context=None, addr="127.0.0.1"):
        outer = self
        self.reply, self.asked, self.now, self.most, self.lock = reply, [], 0, 0, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with outer.lock:
                    outer.asked.append((self.path, dict(self.headers), body.decode()))
                    outer.now += 1
                    outer.most = max(outer.most, outer.now)
                try:
                    outer.say(self)
                except (OSError, ssl.SSLError):
                    self.close_connection = True
                finally:
                    with outer.lock:
                        outer.now -= 1

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET6 if ":" in addr else socket.AF_INET
            request_queue_size = 200

            def handle_error(self, *_):
                pass

            def get_request(self):
                s, a = super().get_request()
                return (context.wrap_socket(s, server_side=True, do_handshake_on_connect=False), a) if context else (s, a)

        self.server = Server((addr, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def say(self, handler):
        reply = self.reply(handler) if callable(self.reply) else self.reply
        if reply is None:
            return
        if not isinstance(reply, tuple):
            reply = (200, json.dumps(reply), {"Content-Type": "application/json"})
        status, body, headers = reply
        body = body if isinstance(body, bytes) else body.encode()
        handler.send_response(status)
        for k, v in headers.items():
            handler.send_header(k, v)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def url(self, path="/introspect", host="127.0.0.1", scheme="http"):
        return "%s://%s:%d%s" % (scheme, host, self.port, path)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
