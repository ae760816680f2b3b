<?php
// Verifies X-Linkgate-Assertion with PHP's openssl: php verify.php JWKS_FILE ISSUER AUDIENCE METHOD PATH < TOKEN

function from_base64url(string $text): string {
    $bytes = base64_decode(strtr($text, '-_', '+/'), true);
    if ($bytes === false) throw new Exception('this is no JWT');
    return $bytes;
}

/** A number as DER has it (X.690, section 8.3). */
function der_integer(string $bytes): string {
    $bytes = ltrim($bytes, "\0");
    if ($bytes === '' || ord($bytes[0]) > 127) $bytes = "\0" . $bytes;
    return "\x02" . chr(strlen($bytes)) . $bytes;
}

/** The claims, or an exception. $jwks: the keys as linkgate shows them; read them again for an unknown kid. */
function verify(string $token, array $jwks, string $issuer, string $audience, string $method, string $path): array {
    $parts = explode('.', $token);
    if (count($parts) !== 3) throw new Exception('this is no JWT');
    $header = json_decode(from_base64url($parts[0]), true, 8, JSON_THROW_ON_ERROR);
    if (($header['alg'] ?? null) !== 'ES256') throw new Exception('only ES256 is accepted');
    $known = array_filter($jwks['keys'], fn ($key) => $key['kid'] === ($header['kid'] ?? null) && $key['crv'] === 'P-256');
    if (count($known) !== 1) throw new Exception('an unknown key');
    $jwk = array_values($known)[0];
    // A SubjectPublicKeyInfo of P-256 (RFC 5480), and r and s as a DER sequence, which is what openssl takes.
    $spki = hex2bin('3059301306072a8648ce3d020106082a8648ce3d030107034200') . "\x04" . from_base64url($jwk['x']) . from_base64url($jwk['y']);
    $pem = "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($spki), 64, "\n") . "-----END PUBLIC KEY-----\n";
    $raw = from_base64url($parts[2]);
    if (strlen($raw) !== 64) throw new Exception('a wrong signature');
    $pair = der_integer(substr($raw, 0, 32)) . der_integer(substr($raw, 32));
    $signature = "\x30" . chr(strlen($pair)) . $pair;
    if (openssl_verify("$parts[0].$parts[1]", $signature, $pem, OPENSSL_ALGO_SHA256) !== 1) throw new Exception('a wrong signature');
    $claims = json_decode(from_base64url($parts[1]), true, 8, JSON_THROW_ON_ERROR);
    if ($claims['iss'] !== $issuer || $claims['aud'] !== $audience) throw new Exception('from or for somebody else');
    if (!($claims['exp'] > time())) throw new Exception('it has expired');
    // It is for this one request: the path as it came over the wire, without the query, not decoded.
    if ($claims['method'] !== $method || $claims['path'] !== $path) throw new Exception('for another request');
    return $claims;
}

if (realpath($argv[0] ?? '') === __FILE__) {
    $jwks = json_decode(file_get_contents($argv[1]), true, 8, JSON_THROW_ON_ERROR);
    echo verify(trim(stream_get_contents(STDIN)), $jwks, ...array_slice($argv, 2, 4))['sub'], "\n";
}
