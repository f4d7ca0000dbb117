"""Serves every kind of method behind the example's interceptor, calls each without a token, and prints the codes."""

from concurrent import futures

import grpc
import protected

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


def secret(_message, _context):
    return b"secret"


def secrets(_message, _context):
    yield b"secret"


def handler(kind):
    behaviour = secrets if kind.endswith("_stream") else secret
    return getattr(grpc, f"{kind}_rpc_method_handler")(behaviour)


def code(channel, kind):
    call = getattr(channel, kind)(f"/test.Everything/{kind}")
    sent = iter([b""]) if kind.startswith("stream_") else b""
    try:
        answer = call(sent, timeout=10)
        list(answer)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def main():
    handlers = grpc.method_handlers_generic_handler("test.Everything", {kind: handler(kind) for kind in KINDS})
    interceptor = protected.VerifiedCallers(protected.Verifier(grpc.insecure_channel("127.0.0.1:1"), "shop"))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), interceptors=[interceptor])
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        for kind in KINDS:
            print(kind, code(channel, kind))
    server.stop(None).wait()


if __name__ == "__main__":
    main()
