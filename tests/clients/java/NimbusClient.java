// Nimbus' oauth2-oidc-sdk, on which Spring Security stands, as an application uses it: metadata, code, ID token, userinfo, refresh,
// introspection, revocation and the request to sign out, each with every check that the library has.

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.Token;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.LogoutRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.AccessTokenValidator;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

public final class NimbusClient {
    private static final BufferedReader LINES = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private final Map<String, Object> settings;
    private final OIDCProviderMetadata provider;
    private final ClientID id;
    private final ClientSecretBasic secret;

    private NimbusClient(Map<String, Object> settings) throws Exception {
        this.settings = settings;
        provider = OIDCProviderMetadata.resolve(new Issuer(text("issuer")));
        id = new ClientID(text("client_id"));
        secret = settings.containsKey("client_secret") ? new ClientSecretBasic(id, new Secret(text("client_secret"))) : null;
    }

    public static void main(String[] arguments) throws Exception {
        trust(arguments[0]);
        new NimbusClient(JSONObjectUtils.parse(LINES.readLine())).run();
    }

    private void run() throws Exception {
        URI redirect = URI.create(text("redirect_uri"));
        CodeVerifier verifier = settings.containsKey("no_pkce") ? null : new CodeVerifier();
        State state = new State();
        Nonce nonce = new Nonce();
        AuthenticationRequest.Builder request =
                new AuthenticationRequest.Builder(ResponseType.CODE, Scope.parse(text("scope")), id, redirect)
                        .endpointURI(provider.getAuthorizationEndpointURI()).state(state).nonce(nonce);
        if (verifier != null) request.codeChallenge(verifier, CodeChallengeMethod.S256);
        String callback = ask(request.build().toURI());

        var response = AuthenticationResponseParser.parse(URI.create(callback)).toSuccessResponse();
        require(state.equals(response.getState()), "another state");
        require(provider.getIssuer().equals(response.getIssuer()), "another issuer in the authorization response");
        OIDCTokens tokens = redeem(new AuthorizationCodeGrant(response.getAuthorizationCode(), redirect, verifier));
        JWSAlgorithm algorithm = JWSAlgorithm.parse(text("algorithm"));
        IDTokenClaimsSet claims =
                new IDTokenValidator(provider.getIssuer(), id, algorithm, provider.getJWKSetURI().toURL())
                        .validate(tokens.getIDToken(), nonce);
        AccessTokenValidator.validate(tokens.getAccessToken(), algorithm, claims.getAccessTokenHash());
        UserInfoResponse info = UserInfoResponse.parse(
                new UserInfoRequest(provider.getUserInfoEndpointURI(), tokens.getBearerAccessToken()).toHTTPRequest().send());
        require(info.toSuccessResponse().getUserInfo().getSubject().equals(claims.getSubject()), "another subject at userinfo");

        OIDCTokens refreshed = redeem(new RefreshTokenGrant(tokens.getRefreshToken()));
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("claims", claims.toJSONObject());
        result.put("person", info.toSuccessResponse().getUserInfo().toJSONObject());
        if (secret != null) {
            result.put("introspected", introspected(refreshed.getAccessToken()));
            revoke(refreshed.getRefreshToken());
            result.put("revoked", introspected(refreshed.getAccessToken()));
        }
        URI goodbye = URI.create(text("post_logout_redirect_uri"));
        State farewell = new State();
        String left = ask(new LogoutRequest(provider.getEndSessionEndpointURI(), tokens.getIDToken(), goodbye, farewell).toURI());
        result.put("left", left.equals(goodbye + "?state=" + farewell));
        tell(result);
    }

    private OIDCTokens redeem(AuthorizationGrant grant) throws Exception {
        URI endpoint = provider.getTokenEndpointURI();
        TokenRequest.Builder request =
                secret == null ? new TokenRequest.Builder(endpoint, id, grant) : new TokenRequest.Builder(endpoint, secret, grant);
        var response = OIDCTokenResponseParser.parse(request.build().toHTTPRequest().send());
        require(response.indicatesSuccess(), response.toHTTPResponse().getBody());
        return ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
    }

    private Map<String, Object> introspected(Token token) throws Exception {
        URI endpoint = provider.getIntrospectionEndpointURI();
        var response = TokenIntrospectionResponse.parse(
                new TokenIntrospectionRequest(endpoint, secret, token).toHTTPRequest().send());
        return response.toSuccessResponse().toJSONObject();
    }

    private void revoke(Token token) throws Exception {
        var answer = new TokenRevocationRequest(provider.getRevocationEndpointURI(), secret, token).toHTTPRequest().send();
        require(answer.getStatusCode() == 200, answer.getBody());
    }

    private String text(String name) {
        return (String) settings.get(name);
    }

    private static String ask(URI address) throws Exception {
        tell(Map.of("open", address.toString()));
        return (String) JSONObjectUtils.parse(LINES.readLine()).get("callback");
    }

    static void tell(Map<String, Object> line) {
        System.out.println(JSONObjectUtils.toJSONString(line));
        System.out.flush();
    }

    static void require(boolean holds, String otherwise) {
        if (!holds) throw new IllegalStateException(otherwise);
    }

    static void trust(String root) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trusted(root), null);
        SSLContext.setDefault(context);
    }

    static TrustManager[] trusted(String root) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream file = new FileInputStream(root)) {
            store.setCertificateEntry("root", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(store);
        return trusted.getTrustManagers();
    }
}
