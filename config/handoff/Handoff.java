// The application's side of linkgate's signed hand-off. Java 17 or newer, nothing else.

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Handoff {
    /**
     * For a user who entered the password at authTime: the URL to redirect the browser to. IllegalArgumentException: not a
     * request of linkgate's, or the user must sign in again.
     */
    public static String wayBack(String secret, String query, String sub, String name, long authTime, long now) {
        String request = parameter(query, "lg_request");
        byte[] ours = sign(secret, "lg_request", request).getBytes(StandardCharsets.UTF_8);
        byte[] theirs = parameter(query, "lg_sig").getBytes(StandardCharsets.UTF_8);
        if (!MessageDigest.isEqual(ours, theirs)) throw new IllegalArgumentException("not signed by linkgate");
        String asked = new String(Base64.getUrlDecoder().decode(request), StandardCharsets.UTF_8);
        if (Long.parseLong(field(asked, "exp", "(\\d+)")) <= now) throw new IllegalArgumentException("too late");
        if (field(asked, "fresh", "(true|false)").equals("true")
                && authTime < Long.parseLong(field(asked, "iat", "(\\d+)"))) {
            throw new IllegalArgumentException("sign in again");
        }
        String answer = "{\"jti\":" + quoted(field(asked, "jti", "\"([A-Za-z0-9]+)\"")) + ",\"sub\":" + quoted(sub)
                + ",\"name\":" + quoted(name) + ",\"iat\":" + now + ",\"exp\":" + (now + 60)
                + ",\"auth_time\":" + authTime + "}";
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(answer.getBytes(StandardCharsets.UTF_8));
        return field(asked, "return_to", "\"([^\"\\\\]+)\"") + "?lg_answer=" + text
                + "&lg_sig=" + sign(secret, "lg_answer", text);
    }

    private static String sign(String secret, String what, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal((what + "." + text).getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String parameter(String query, String name) {
        for (String pair : query.split("&")) {
            if (pair.startsWith(name + "=")) {
                return URLDecoder.decode(pair.substring(name.length() + 1), StandardCharsets.UTF_8);
            }
        }
        return "";
    }

    // The JSON was signed by linkgate, is flat, and has no escapes. With a JSON library, use that.
    private static String field(String json, String name, String value) {
        Matcher found = Pattern.compile("\"" + name + "\":" + value).matcher(json);
        if (!found.find()) throw new IllegalArgumentException("no " + name);
        return found.group(1);
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') quoted.append('\\').append(c);
            else if (c < 0x20) quoted.append(String.format("\\u%04x", (int) c));
            else quoted.append(c);
        }
        return quoted.append('"').toString();
    }

    public static void main(String[] args) {
        try {
            System.out.println(wayBack(
                    args[0], args[2], args[3], args[4], Long.parseLong(args[5]), Long.parseLong(args[1])));
        } catch (IllegalArgumentException why) {
            System.err.println(why.getMessage());
            System.exit(1);
        }
    }
}
