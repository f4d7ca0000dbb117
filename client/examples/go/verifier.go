package main

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	keysteadv1 "example.com/greeter/gen/keystead/v1"
)

const (
	// How long Keystead may take to answer.
	timeout = 2 * time.Second
	// How many verdicts are kept.
	kept = 4096
)

type callerKey struct{}

// caller gives the verified claims of the call; nil where nothing was verified.
func caller(ctx context.Context) *keysteadv1.AccessTokenClaims {
	claims, _ := ctx.Value(callerKey{}).(*keysteadv1.AccessTokenClaims)
	return claims
}

type verdict struct {
	answer *keysteadv1.VerifyTokenResponse
	until  time.Time
}

// verifier asks Keystead what tokens are worth.
type verifier struct {
	auth     keysteadv1.AuthServiceClient
	audience string
	mutex    sync.Mutex
	verdicts map[[sha256.Size]byte]verdict
}

func newVerifier(auth keysteadv1.AuthServiceClient, audience string) *verifier {
	return &verifier{auth: auth, audience: audience, verdicts: map[[sha256.Size]byte]verdict{}}
}

// stream lets nobody pass: unary is what verifies callers. An interceptor that lets streams through has to verify them
// in the same way, and to end them when their token expires.
func (v *verifier) stream(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
	return status.Error(codes.Unimplemented, "streaming methods are not served: their callers are not verified")
}

// unary lets verified callers pass.
func (v *verifier) unary(
	ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	sent := incoming.Get("authorization")
	if len(sent) != 1 {
		return nil, refuse(ctx)
	}
	scheme, token, _ := strings.Cut(sent[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		return nil, refuse(ctx)
	}
	answer, err := v.verify(ctx, strings.TrimLeft(token, " "))
	if err != nil {
		// Nobody can say what the token is worth: that is no fault of the caller's.
		return nil, status.Error(codes.Unavailable, "tokens cannot be judged at the moment")
	}
	if answer.GetStatus() != keysteadv1.TokenStatus_TOKEN_STATUS_ACTIVE {
		return nil, refuse(ctx)
	}
	return handler(context.WithValue(ctx, callerKey{}, answer.GetClaims()), request)
}

func (v *verifier) verify(ctx context.Context, token string) (*keysteadv1.VerifyTokenResponse, error) {
	digest := sha256.Sum256([]byte(token))
	// Counted from before the question: a verdict is never kept for longer than it may be.
	askedAt := time.Now()
	v.mutex.Lock()
	known, found := v.verdicts[digest]
	v.mutex.Unlock()
	if found && askedAt.Before(known.until) {
		return known.answer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request := &keysteadv1.VerifyTokenRequest{AccessToken: token, ExpectedAudience: v.audience}
	answer, err := v.auth.VerifyToken(ctx, request)
	if err != nil {
		return nil, err
	}
	v.keep(digest, verdict{answer, askedAt.Add(answer.GetCacheableFor().AsDuration())})
	return answer, nil
}

func (v *verifier) keep(digest [sha256.Size]byte, fresh verdict) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if len(v.verdicts) >= kept {
		now := time.Now()
		for digest, old := range v.verdicts {
			if !now.Before(old.until) {
				delete(v.verdicts, digest)
			}
		}
	}
	if len(v.verdicts) < kept {
		v.verdicts[digest] = fresh
	}
}

func refuse(ctx context.Context) error {
	if err := grpc.SetTrailer(ctx, metadata.Pairs("www-authenticate", "Bearer")); err != nil {
		return err
	}
	return status.Error(codes.Unauthenticated, "a valid access token is required as a bearer")
}
