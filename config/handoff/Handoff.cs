// The application's side of linkgate's signed hand-off. .NET 6 or newer, nothing else.
// (The tests cannot run this one: Debian has no .NET. It is written after the others, line by line.)

using System;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Web;

public static class Handoff
{
    /// <summary>For a user who entered the password at authTime: the URL to redirect the browser to.</summary>
    /// <exception cref="ArgumentException">It is not a request of linkgate's, or the user must sign in again.</exception>
    public static string WayBack(string secret, string query, string sub, string name, long authTime, long now)
    {
        string Sign(string what, string text)
        {
            using var mac = new HMACSHA256(Encoding.UTF8.GetBytes(secret));
            return Convert.ToHexString(mac.ComputeHash(Encoding.UTF8.GetBytes(what + "." + text))).ToLowerInvariant();
        }
        var given = HttpUtility.ParseQueryString(query);
        var request = given["lg_request"] ?? "";
        var ours = Encoding.UTF8.GetBytes(Sign("lg_request", request));
        var theirs = Encoding.UTF8.GetBytes(given["lg_sig"] ?? "");
        if (!CryptographicOperations.FixedTimeEquals(ours, theirs)) throw new ArgumentException("not signed by linkgate");
        var padded = request.Replace('-', '+').Replace('_', '/').PadRight((request.Length + 3) / 4 * 4, '=');
        using var asked = JsonDocument.Parse(Convert.FromBase64String(padded));
        if (asked.RootElement.GetProperty("exp").GetInt64() <= now) throw new ArgumentException("too late");
        var started = asked.RootElement.GetProperty("iat").GetInt64();
        if (asked.RootElement.GetProperty("fresh").GetBoolean() && authTime < started) throw new ArgumentException("sign in again");
        var answer = JsonSerializer.SerializeToUtf8Bytes(
            new { jti = asked.RootElement.GetProperty("jti").GetString(), sub, name, iat = now, exp = now + 60, auth_time = authTime },
            new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        var text = Convert.ToBase64String(answer).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return $"{asked.RootElement.GetProperty("return_to").GetString()}?lg_answer={text}&lg_sig={Sign("lg_answer", text)}";
    }

    public static int Main(string[] args)
    {
        try
        {
            Console.WriteLine(WayBack(args[0], args[2], args[3], args[4], long.Parse(args[5]), long.Parse(args[1])));
            return 0;
        }
        catch (ArgumentException why)
        {
            Console.Error.WriteLine(why.Message);
            return 1;
        }
    }
}
