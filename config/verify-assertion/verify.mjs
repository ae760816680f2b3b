// Verifies X-Linkgate-Assertion with Node alone: node verify.mjs JWKS_FILE ISSUER AUDIENCE METHOD PATH < TOKEN
import { createPublicKey, verify as verifySignature } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** The claims, or an exception. `jwks`: the keys as linkgate shows them; read them again for an unknown `kid`. */
export function verify(token, jwks, { issuer, audience, method, path }) {
  const parts = token.split(".");
  if (parts.length !== 3) throw new Error("this is no JWT");
  const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
  if (header.alg !== "ES256") throw new Error("only ES256 is accepted");
  const jwk = jwks.keys.find((key) => key.kid === header.kid && key.kty === "EC" && key.crv === "P-256");
  if (!jwk) throw new Error("an unknown key");
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (!verifySignature("sha256", signed, key, Buffer.from(parts[2], "base64url"))) throw new Error("a wrong signature");
  if (claims.iss !== issuer || claims.aud !== audience) throw new Error("from or for somebody else");
  if (!(claims.exp > Date.now() / 1000)) throw new Error("it has expired");
  // It is for this one request: the path as it came over the wire, without the query, not decoded.
  if (claims.method !== method || claims.path !== path) throw new Error("for another request");
  return claims;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, issuer, audience, method, path] = process.argv.slice(2);
  const jwks = JSON.parse(readFileSync(file, "utf8"));
  console.log(verify(readFileSync(0, "utf8").trim(), jwks, { issuer, audience, method, path }).sub);
}
