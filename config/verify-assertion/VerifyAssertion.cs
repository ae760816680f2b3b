// Verifies X-Linkgate-Assertion with .NET alone (8 or newer). The tests do not run it: Debian 12 has no .NET.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

public static class VerifyAssertion
{
    /// The claims, or an exception. jwks: the keys as linkgate shows them; read them again for an unknown kid.
    public static JsonElement Verify(
        string token, JsonElement jwks, string issuer, string audience, string method, string path)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) throw new CryptographicException("this is no JWT");
        var header = JsonDocument.Parse(Bytes(parts[0])).RootElement;
        if (Text(header, "alg") != "ES256") throw new CryptographicException("only ES256 is accepted");
        var jwk = jwks.GetProperty("keys").EnumerateArray()
            .Single(key => Text(key, "kid") == Text(header, "kid") && Text(key, "crv") == "P-256");
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Bytes(Text(jwk, "x")), Y = Bytes(Text(jwk, "y")) },
        });
        var signed = Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]);
        if (!key.VerifyData(signed, Bytes(parts[2]), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))
            throw new CryptographicException("a wrong signature");
        var claims = JsonDocument.Parse(Bytes(parts[1])).RootElement;
        if (Text(claims, "iss") != issuer || Text(claims, "aud") != audience)
            throw new CryptographicException("from or for somebody else");
        if (claims.GetProperty("exp").GetInt64() <= DateTimeOffset.UtcNow.ToUnixTimeSeconds())
            throw new CryptographicException("it has expired");
        // It is for this one request: the path as it came over the wire, without the query, not decoded.
        if (Text(claims, "method") != method || Text(claims, "path") != path)
            throw new CryptographicException("for another request");
        return claims;
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString() ?? "";

    private static byte[] Bytes(string text) =>
        Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '='));
}
