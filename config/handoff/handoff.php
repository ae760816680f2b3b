<?php
// The application's side of linkgate's signed hand-off. PHP 7.3 or newer, nothing else.

// For a user who entered the password at $authTime: the URL to redirect the browser to. Throws when it is not a request of
// linkgate's, or when the user must sign in again.
function linkgate_way_back(string $secret, string $query, string $sub, string $name, int $authTime, ?int $now = null): string
{
    $now = $now ?? time();
    $sign = fn(string $what, string $text): string => hash_hmac('sha256', "$what.$text", $secret);
    parse_str($query, $given);
    $request = is_string($given['lg_request'] ?? null) ? $given['lg_request'] : '';
    $signature = is_string($given['lg_sig'] ?? null) ? $given['lg_sig'] : '';
    if (!hash_equals($sign('lg_request', $request), $signature)) {
        throw new RuntimeException('not signed by linkgate');
    }
    $asked = json_decode(base64_decode(strtr($request, '-_', '+/')), true, 8, JSON_THROW_ON_ERROR);
    if ($asked['exp'] <= $now) {
        throw new RuntimeException('too late');
    }
    if ($asked['fresh'] && $authTime < $asked['iat']) {
        throw new RuntimeException('sign in again');
    }
    $answer = ['jti' => $asked['jti'], 'sub' => $sub, 'name' => $name, 'iat' => $now, 'exp' => $now + 60, 'auth_time' => $authTime];
    $text = json_encode($answer, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    $text = rtrim(strtr(base64_encode($text), '+/', '-_'), '=');
    return "{$asked['return_to']}?lg_answer=$text&lg_sig={$sign('lg_answer', $text)}";
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    try {
        echo linkgate_way_back($argv[1], $argv[3], $argv[4], $argv[5], (int) $argv[6], (int) $argv[2]), "\n";
    } catch (Exception $why) {
        fwrite(STDERR, $why->getMessage() . "\n");
        exit(1);
    }
}
