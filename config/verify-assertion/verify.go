// Verifies X-Linkgate-Assertion with Go's library: go run verify.go JWKS_FILE ISSUER AUDIENCE METHOD PATH < TOKEN
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"time"
)

// Keys are what linkgate shows; read them again for an unknown kid.
type Keys struct {
	Keys []struct{ Kid, Kty, Crv, X, Y string }
}

// Claims say who makes a request.
type Claims struct {
	Iss, Aud, Sub, Name, Consumer, Call, Method, Path string
	Exp                                               int64
}

// Verify returns the claims, or an error.
func Verify(token string, keys Keys, issuer, audience, method, path string) (*Claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("this is no JWT")
	}
	var header struct{ Alg, Kid string }
	var claims Claims
	if decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil {
		return nil, errors.New("this is no JWT")
	}
	if header.Alg != "ES256" {
		return nil, errors.New("only ES256 is accepted")
	}
	key, err := publicKey(keys, header.Kid)
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return nil, errors.New("a wrong signature")
	}
	hash := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, hash[:], r, s) {
		return nil, errors.New("a wrong signature")
	}
	if claims.Iss != issuer || claims.Aud != audience {
		return nil, errors.New("from or for somebody else")
	}
	if claims.Exp <= time.Now().Unix() {
		return nil, errors.New("it has expired")
	}
	// It is for this one request: the path as it came over the wire, without the query, not decoded.
	if claims.Method != method || claims.Path != path {
		return nil, errors.New("for another request")
	}
	return &claims, nil
}

func publicKey(keys Keys, kid string) (*ecdsa.PublicKey, error) {
	for _, key := range keys.Keys {
		if key.Kid != kid || key.Kty != "EC" || key.Crv != "P-256" {
			continue
		}
		x, errX := base64.RawURLEncoding.DecodeString(key.X)
		y, errY := base64.RawURLEncoding.DecodeString(key.Y)
		public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
		if errX == nil && errY == nil && public.Curve.IsOnCurve(public.X, public.Y) {
			return public, nil
		}
	}
	return nil, errors.New("an unknown key")
}

func decode(part string, into any) error {
	bytes, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(bytes, into)
}

func main() {
	var keys Keys
	file, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(file, &keys)
	}
	token, _ := io.ReadAll(os.Stdin)
	var claims *Claims
	if err == nil {
		claims, err = Verify(strings.TrimSpace(string(token)), keys, os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(claims.Sub)
}
