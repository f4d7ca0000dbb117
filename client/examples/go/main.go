// A greeter that only verified callers reach. It asks Keystead about each token, and keeps a verdict for as long as it
// may.
//
// Beside this file, with protoc, protoc-gen-go and protoc-gen-go-grpc, and the service running as the README says:
//
//	mkdir -p gen && protoc -I ../../../proto -I ../proto --go_out=. --go-grpc_out=. \
//	  --go_opt=module=example.com/greeter --go-grpc_opt=module=example.com/greeter \
//	  $(for it in access auth_service identity token user; do
//	    echo "--go_opt=Mkeystead/v1/$it.proto=example.com/greeter/gen/keystead/v1"
//	    echo "--go-grpc_opt=Mkeystead/v1/$it.proto=example.com/greeter/gen/keystead/v1"
//	  done) \
//	  keystead/v1/access.proto keystead/v1/auth_service.proto keystead/v1/identity.proto keystead/v1/token.proto \
//	  keystead/v1/user.proto greeter/v1/greeter.proto
//	go mod tidy && go run .
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
	greeterv1.UnimplementedGreeterServer
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
	server := grpc.NewServer(grpc.UnaryInterceptor(verifier.unary))
	greeterv1.RegisterGreeterServer(server, greeter{})
	log.Printf("listening on %s", listener.Addr())
	log.Fatal(server.Serve(listener))
}
