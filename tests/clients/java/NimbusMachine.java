// Nimbus' oauth2-oidc-sdk as a service uses it: tokens of its own, proven by a client certificate (tls_client_auth) or by a key
// (private_key_jwt), then introspection and revocation by the same proof.

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.as.ReadOnlyAuthorizationServerEndpointMetadata;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.JWTAuthenticationClaimsSet;
import com.nimbusds.oauth2.sdk.auth.PKITLSClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.JWTID;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.util.Date;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;

public final class NimbusMachine {
    private static final char[] PASSWORD = "a key store has one".toCharArray();

    private final Map<String, Object> settings;
    private final OIDCProviderMetadata provider;
    private final ClientID id;
    private final SSLSocketFactory sockets;

    private NimbusMachine(Map<String, Object> settings, String root) throws Exception {
        this.settings = settings;
        NimbusClient.trust(root);
        provider = OIDCProviderMetadata.resolve(new Issuer(text("issuer")));
        id = new ClientID(text("client_id"));
        sockets = settings.containsKey("pkcs12") ? withCertificate(text("pkcs12"), root) : null;
    }

    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        new NimbusMachine(JSONObjectUtils.parse(lines.readLine()), arguments[0]).run();
    }

    private void run() throws Exception {
        ReadOnlyAuthorizationServerEndpointMetadata at = sockets == null ? provider : provider.getReadOnlyMtlsEndpointAliases();
        var asked = new TokenRequest.Builder(at.getTokenEndpointURI(), proof(), new ClientCredentialsGrant())
                .scope(Scope.parse(text("scope"))).build();
        TokenResponse response = TokenResponse.parse(asked.toHTTPRequest().send());
        NimbusClient.require(response.indicatesSuccess(), response.toHTTPResponse().getBody());
        AccessToken token = response.toSuccessResponse().getTokens().getAccessToken();
        var before = introspected(at, token);
        var revoked = new TokenRevocationRequest(at.getRevocationEndpointURI(), proof(), token).toHTTPRequest();
        NimbusClient.require(revoked.send().getStatusCode() == 200, "not revoked");
        NimbusClient.tell(Map.of(
                "lives", token.getLifetime(), "type", token.getType().getValue(), "introspected", before,
                "revoked", introspected(at, token)));
    }

    /** An assertion is good once, so that each request has one of its own. */
    private ClientAuthentication proof() throws Exception {
        if (sockets != null) return new PKITLSClientAuthentication(id, sockets);
        ECKey key = ECKey.parse(JSONObjectUtils.parse(text("jwk")));
        var audience = List.of(new Audience(provider.getIssuer()));
        Date now = new Date();
        Date end = new Date(now.getTime() + 60_000);
        var claims = new JWTAuthenticationClaimsSet(id, audience, end, null, now, new JWTID());
        return new PrivateKeyJWT(claims, JWSAlgorithm.ES256, key.toPrivateKey(), key.getKeyID(), null);
    }

    private Map<String, Object> introspected(ReadOnlyAuthorizationServerEndpointMetadata at, AccessToken token) throws Exception {
        var request = new TokenIntrospectionRequest(at.getIntrospectionEndpointURI(), proof(), token).toHTTPRequest();
        return TokenIntrospectionResponse.parse(request.send()).toSuccessResponse().toJSONObject();
    }

    private String text(String name) {
        return (String) settings.get(name);
    }

    private static SSLSocketFactory withCertificate(String file, String root) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (FileInputStream stream = new FileInputStream(file)) {
            own.load(stream, PASSWORD);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), NimbusClient.trusted(root), null);
        return context.getSocketFactory();
    }
}
