// Verifies X-Linkgate-Assertion with the JDK alone: java VerifyAssertion.java JWKS_FILE ISSUER AUDIENCE METHOD PATH < TOKEN

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public final class VerifyAssertion {
    /** The claims as JSON, or an exception. jwks: the keys as linkgate shows them; read them again for an unknown kid. */
    static String verify(String token, String jwks, String issuer, String audience, String method, String path)
            throws GeneralSecurityException {
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3) throw new GeneralSecurityException("this is no JWT");
        String header = text(parts[0]);
        if (!"ES256".equals(member(header, "alg"))) throw new GeneralSecurityException("only ES256 is accepted");
        Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initVerify(key(jwks, member(header, "kid")));
        signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
        if (!signature.verify(bytes(parts[2]))) throw new GeneralSecurityException("a wrong signature");
        String claims = text(parts[1]);
        if (!issuer.equals(member(claims, "iss")) || !audience.equals(member(claims, "aud")))
            throw new GeneralSecurityException("from or for somebody else");
        Matcher exp = Pattern.compile("\"exp\":(\\d{1,18})[,}]").matcher(claims);
        if (!exp.find() || Long.parseLong(exp.group(1)) <= System.currentTimeMillis() / 1000)
            throw new GeneralSecurityException("it has expired");
        // It is for this one request: the path as it came over the wire, without the query, not decoded.
        if (!method.equals(member(claims, "method")) || !path.equals(member(claims, "path")))
            throw new GeneralSecurityException("for another request");
        return claims;
    }

    private static PublicKey key(String jwks, String kid) throws GeneralSecurityException {
        Matcher each = Pattern.compile("\\{[^{}]*\\}").matcher(jwks);
        while (each.find()) {
            String jwk = each.group();
            if (kid == null || !kid.equals(member(jwk, "kid")) || !"P-256".equals(member(jwk, "crv"))) continue;
            AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
            curve.init(new ECGenParameterSpec("secp256r1"));
            BigInteger x = new BigInteger(1, bytes(member(jwk, "x")));
            BigInteger y = new BigInteger(1, bytes(member(jwk, "y")));
            ECParameterSpec parameters = curve.getParameterSpec(ECParameterSpec.class);
            return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(new ECPoint(x, y), parameters));
        }
        throw new GeneralSecurityException("an unknown key");
    }

    /**
     * A text of a flat JSON object as linkgate writes it, without blanks; use your JSON library where you have one.
     * No text can look like a member: a quote within a text stands behind a backslash.
     */
    static String member(String json, String name) {
        Matcher found = Pattern.compile("[{,]\"" + name + "\":\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
        if (!found.find()) return null;
        Matcher escapes = Pattern.compile("\\\\(?:u([0-9a-fA-F]{4})|(.))").matcher(found.group(1));
        return escapes.replaceAll(at -> Matcher.quoteReplacement(at.group(1) != null
                ? String.valueOf((char) Integer.parseInt(at.group(1), 16))
                : at.group(2).replace('n', '\n').replace('r', '\r').replace('t', '\t').replace('b', '\b').replace('f', '\f')));
    }

    private static byte[] bytes(String part) throws GeneralSecurityException {
        try {
            return Base64.getUrlDecoder().decode(part);
        } catch (IllegalArgumentException error) {
            throw new GeneralSecurityException("this is no JWT", error);
        }
    }

    private static String text(String part) throws GeneralSecurityException {
        return new String(bytes(part), StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws Exception {
        String token = new String(System.in.readAllBytes(), StandardCharsets.US_ASCII).strip();
        String claims = verify(token, Files.readString(Path.of(args[0])), args[1], args[2], args[3], args[4]);
        System.out.println(member(claims, "sub"));
    }
}
