// A greeter that only verified callers reach. It asks Keystead about each token, and keeps a verdict for as long as it
// may.
//
// Beside this file, with buf, protoc-gen-go and protoc-gen-go-grpc, and the service running as its README says:
//
//	buf generate && go mod tidy && go run .
//
// Then, from the root of the repository, with the tokens of a sign-in:
//
//	grpcurl -plaintext -import-path client/examples/proto -proto greeter/v1/greeter.proto \
//	  -H "authorization: Bearer $(jq -r .accessToken tokens.json)" 127.0.0.1:50062 greeter.v1.GreeterService/Greet
//
// A process that verifies much is better off with the feed of revocations (TokenService.WatchRevocations), as the Rust
// client is: it costs no call a token.
package main

import (
	"context"
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	greeterv1 "example.com/greeter/gen/greeter/v1"
	keysteadv1 "example.com/greeter/gen/keystead/v1"
)

type greeter struct {
	greeterv1.UnimplementedGreeterServiceServer
}

// Greet is what is protected: who calls is what the token says.
func (greeter) Greet(ctx context.Context, _ *greeterv1.GreetRequest) (*greeterv1.GreetResponse, error) {
	return &greeterv1.GreetResponse{Text: "Hello, " + caller(ctx).GetSubject()}, nil
}

func main() {
	keystead := flag.String("keystead", "127.0.0.1:50051", "where Keystead listens")
	audience := flag.String("audience", "keystead", "the name of this service in tokens")
	listen := flag.String("listen", "127.0.0.1:50062", "where this service listens")
	flag.Parse()

	// In production: credentials.NewTLS.
	connection, err := grpc.NewClient(*keystead, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	verifier := newVerifier(keysteadv1.NewAuthServiceClient(connection), *audience)
	server := grpc.NewServer(grpc.UnaryInterceptor(verifier.unary), grpc.StreamInterceptor(verifier.stream))
	greeterv1.RegisterGreeterServiceServer(server, greeter{})
	log.Printf("listening on %s", listener.Addr())
	log.Fatal(server.Serve(listener))
}
