// x/oauth2 as a service uses it: tokens of its own (client_credentials), proven by a client certificate or by a key (private_key_jwt).
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type settings struct {
	Issuer      string `json:"issuer"`
	ClientID    string `json:"client_id"`
	Root        string `json:"root"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	KeyID       string `json:"kid"`
}

func main() {
	var given settings
	check(json.NewDecoder(os.Stdin).Decode(&given))
	root, err := os.ReadFile(given.Root)
	check(err)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(root)
	transport := &tls.Config{RootCAs: trusted}
	if given.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(given.Certificate, given.Key)
		check(err)
		transport.Certificates = []tls.Certificate{pair}
	}
	ctx := context.WithValue(
		context.Background(), oauth2.HTTPClient, &http.Client{Transport: &http.Transport{TLSClientConfig: transport}})
	provider, err := oidc.NewProvider(ctx, given.Issuer)
	check(err)
	var metadata struct {
		Aliases struct {
			Token string `json:"token_endpoint"`
		} `json:"mtls_endpoint_aliases"`
	}
	check(provider.Claims(&metadata))
	service := clientcredentials.Config{
		ClientID:  given.ClientID,
		TokenURL:  metadata.Aliases.Token,
		AuthStyle: oauth2.AuthStyleInParams,
	}
	if given.Certificate == "" {
		service.TokenURL = provider.Endpoint().TokenURL
		service.EndpointParams = url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion(given)},
		}
	}
	token, err := service.Token(ctx)
	var refusal *oauth2.RetrieveError
	if errors.As(err, &refusal) {
		check(json.NewEncoder(os.Stdout).Encode(map[string]any{"refused": refusal.ErrorCode}))
		return
	}
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"token": token.AccessToken,
		"type":  token.Type(),
		"scope": token.Extra("scope"),
		"lives": int(time.Until(token.Expiry).Round(time.Minute).Seconds()),
	}))
}

func assertion(given settings) string {
	text, err := os.ReadFile(given.Key)
	check(err)
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	check(err)
	key := jose.JSONWebKey{Key: parsed.(*ecdsa.PrivateKey), KeyID: given.KeyID}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	check(err)
	now := time.Now()
	made, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer:   given.ClientID,
		Subject:  given.ClientID,
		Audience: jwt.Audience{given.Issuer},
		IssuedAt: jwt.NewNumericDate(now),
		Expiry:   jwt.NewNumericDate(now.Add(time.Minute)),
		ID:       rand.Text(),
	}).Serialize()
	check(err)
	return made
}

func check(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
