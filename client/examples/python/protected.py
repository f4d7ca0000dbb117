r"""A greeter that only verified callers reach. It asks Keystead about each token, and keeps a verdict for as long as it
may.

Beside this file, with the service running as its README says:

    python3 -m pip install grpcio-tools
    mkdir -p gen && python3 -m grpc_tools.protoc -I ../../../proto -I ../proto --python_out=gen --grpc_python_out=gen \
        keystead/v1/access.proto keystead/v1/auth_service.proto keystead/v1/identity.proto \
        keystead/v1/second_factor.proto keystead/v1/token.proto keystead/v1/user.proto greeter/v1/greeter.proto
    PYTHONPATH=gen python3 protected.py

Then, from the root of the repository, with the tokens of a sign-in:

    grpcurl -plaintext -import-path client/examples/proto -proto greeter/v1/greeter.proto \
        -H "authorization: Bearer $(jq -r .accessToken tokens.json)" 127.0.0.1:50061 greeter.v1.GreeterService/Greet

A process that verifies much is better off with the feed of revocations (TokenService.WatchRevocations), as the Rust
client is: it costs no call a token.
"""

import argparse
import contextvars
import hashlib
import threading
import time
from concurrent import futures

import grpc
from greeter.v1 import greeter_pb2, greeter_pb2_grpc
from keystead.v1 import auth_service_pb2, auth_service_pb2_grpc, token_pb2

# How long Keystead may take to answer, in seconds.
TIMEOUT = 2
# How many verdicts are kept.
KEPT = 4096

# The verified claims of the call that is being handled.
caller = contextvars.ContextVar("caller")


class Verifier:
    """Asks Keystead what a token is worth."""

    def __init__(self, channel, audience):
        self._auth = auth_service_pb2_grpc.AuthServiceStub(channel)
        self._audience = audience
        self._kept = {}
        self._lock = threading.Lock()

    def verify(self, token):
        """Gives the verdict; fails with grpc.RpcError where there is none."""
        digest = hashlib.sha256(token.encode()).digest()
        asked_at = time.monotonic()
        with self._lock:
            verdict, until = self._kept.get(digest, (None, 0))
        if asked_at < until:
            return verdict
        request = auth_service_pb2.VerifyTokenRequest(access_token=token, expected_audience=self._audience)
        verdict = self._auth.VerifyToken(request, timeout=TIMEOUT)
        with self._lock:
            if len(self._kept) >= KEPT:
                self._kept = {key: kept for key, kept in self._kept.items() if asked_at < kept[1]}
            if len(self._kept) < KEPT:
                # Counted from before the question: a verdict is never kept for longer than it may be.
                self._kept[digest] = (verdict, asked_at + verdict.cacheable_for.ToNanoseconds() / 1e9)
        return verdict


class VerifiedCallers(grpc.ServerInterceptor):
    """Lets verified callers pass to unary methods, and nobody to streaming ones: those it could not protect.

    A stream that is to be let through has to be wrapped in the same way, and to be ended when its token expires.
    """

    def __init__(self, verifier):
        self._verifier = verifier

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        if handler is None:
            return None
        if handler.unary_unary is None:
            return grpc.stream_stream_rpc_method_handler(refuse_stream)
        sent = [value for name, value in details.invocation_metadata if name == "authorization"]

        def verified(request, context):
            caller.set(self._claims(sent, context))
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            verified, handler.request_deserializer, handler.response_serializer
        )

    def _claims(self, sent, context):
        scheme, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
        if scheme.lower() != "bearer":
            refuse(context)
        try:
            verdict = self._verifier.verify(token.lstrip(" "))
        except grpc.RpcError:
            # Nobody can say what the token is worth: that is no fault of the caller's.
            context.abort(grpc.StatusCode.UNAVAILABLE, "tokens cannot be judged at the moment")
        if verdict.status != token_pb2.TOKEN_STATUS_ACTIVE:
            refuse(context)
        return verdict.claims


def refuse(context):
    context.set_trailing_metadata((("www-authenticate", "Bearer"),))
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "a valid access token is required as a bearer")


def refuse_stream(requests, context):
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "streaming methods are not served: their callers are not verified")


class Greeter(greeter_pb2_grpc.GreeterServiceServicer):
    """What is protected."""

    def Greet(self, request, context):
        return greeter_pb2.GreetResponse(text=f"Hello, {caller.get().subject}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--keystead", default="127.0.0.1:50051")
    arguments.add_argument("--audience", default="keystead", help="the name of this service in tokens")
    arguments.add_argument("--listen", default="127.0.0.1:50061")
    options = arguments.parse_args()

    # In production: grpc.secure_channel.
    with grpc.insecure_channel(options.keystead) as channel:
        interceptor = VerifiedCallers(Verifier(channel, options.audience))
        server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), interceptors=[interceptor])
        greeter_pb2_grpc.add_GreeterServiceServicer_to_server(Greeter(), server)
        port = server.add_insecure_port(options.listen)
        server.start()
        print(f"listening on port {port}", flush=True)
        server.wait_for_termination()


if __name__ == "__main__":
    main()
