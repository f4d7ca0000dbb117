"""Signs in, is verified, refreshes and signs out over a list of replicas until its input ends; prints how often each code
was a call's last word.

`load.py ADDRESS...`: nothing is set but to go by turns, and to look soon for who has come. What is sent again, the library
sends again by itself.
"""

import collections
import sys
import threading

import grpc
from keystead.v1 import auth_service_pb2 as messages
from keystead.v1 import auth_service_pb2_grpc, token_pb2

PEOPLE = 4
# Seconds; longer than any call takes, or a call that waits for ever would be no lost one.
TIMEOUT = 60
OPTIONS = [
    # The name before a headless Service's addresses; of a mere list the library would make one that is no authority.
    ("grpc.default_authority", "keystead"),
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.enable_http_proxy", 0),
]


class Person(threading.Thread):
    def __init__(self, number, channel, ended):
        super().__init__()
        self.codes = collections.Counter()
        self._email = f"python{number}@example.com"
        self._password = f"seven{number} quiet geese walk past the mill"
        self._auth = auth_service_pb2_grpc.AuthServiceStub(channel)
        self._ended = ended

    def run(self):
        try:
            self._call(self._auth.Register, messages.RegisterRequest(email=self._email, password=self._password))
            while not self._ended.is_set():
                self._visit()
        except grpc.RpcError as error:
            print(error.code().name, error.details(), error.debug_error_string(), file=sys.stderr)

    def _visit(self):
        login = messages.LoginRequest(email=self._email, password=self._password)
        tokens = self._call(self._auth.Login, login).token_set
        for _ in range(20):
            verdict = self._call(self._auth.VerifyToken, messages.VerifyTokenRequest(access_token=tokens.access_token))
            self.codes[token_pb2.TokenStatus.Name(verdict.status)] += 1
            refresh = messages.RefreshRequest(refresh_token=tokens.refresh_token)
            tokens = self._call(self._auth.Refresh, refresh).token_set
        self._call(self._auth.Logout, messages.LogoutRequest(refresh_token=tokens.refresh_token))

    def _call(self, method, message):
        try:
            answer = method(message, timeout=TIMEOUT)
        except grpc.RpcError as error:
            self.codes[error.code().name] += 1
            raise
        self.codes["OK"] += 1
        return answer


def main():
    ended = threading.Event()
    with grpc.insecure_channel("ipv4:" + ",".join(sys.argv[1:]), options=OPTIONS) as channel:
        people = [Person(number, channel, ended) for number in range(PEOPLE)]
        for person in people:
            person.start()
        sys.stdin.read()
        ended.set()
        for person in people:
            person.join()
    for code, count in sum((person.codes for person in people), collections.Counter()).items():
        print(code, count)


if __name__ == "__main__":
    main()
