// go-oidc and x/oauth2 as an application uses them: discovery, code with PKCE, ID token, userinfo, refresh.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/url"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type settings struct {
	Issuer       string   `json:"issuer"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RedirectURI  string   `json:"redirect_uri"`
	Scopes       []string `json:"scopes"`
	NoPKCE       bool     `json:"no_pkce"`
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	read := func(value any) {
		line, err := lines.ReadBytes('\n')
		check(err)
		check(json.Unmarshal(line, value))
	}
	tell := json.NewEncoder(os.Stdout)
	var given settings
	read(&given)

	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, given.Issuer)
	check(err)
	application := oauth2.Config{
		ClientID:     given.ClientID,
		ClientSecret: given.ClientSecret,
		Endpoint:     provider.Endpoint(),
		RedirectURL:  given.RedirectURI,
		Scopes:       given.Scopes,
	}
	verifier := oauth2.GenerateVerifier()
	asked := []oauth2.AuthCodeOption{oidc.Nonce("n-0S6_WzA2Mj")}
	redeemed := []oauth2.AuthCodeOption{}
	if !given.NoPKCE {
		asked = append(asked, oauth2.S256ChallengeOption(verifier))
		redeemed = append(redeemed, oauth2.VerifierOption(verifier))
	}
	check(tell.Encode(map[string]string{"open": application.AuthCodeURL("af0ifjsldkj", asked...)}))

	var answer struct {
		Callback string `json:"callback"`
	}
	read(&answer)
	callback, err := url.Parse(answer.Callback)
	check(err)
	token, err := application.Exchange(ctx, callback.Query().Get("code"), redeemed...)
	check(err)
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: given.ClientID}).Verify(ctx, raw)
	check(err)
	claims := map[string]any{}
	check(idToken.Claims(&claims))
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	check(err)
	person := map[string]any{}
	check(info.Claims(&person))

	refreshed, err := application.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	check(err)
	check(tell.Encode(map[string]any{
		"claims":  claims,
		"person":  person,
		"rotated": refreshed.RefreshToken != token.RefreshToken,
	}))
}

func check(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
