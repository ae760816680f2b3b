// The application's side of linkgate's signed hand-off. Go 1.16 or newer, nothing else.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
)

// WayBack is, for a user who entered the password at authTime, the URL to redirect the browser to. The error: it is not a
// request of linkgate's, or the user must sign in again.
func WayBack(secret, query, sub, name string, authTime, now int64) (string, error) {
	sign := func(what, text string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(what + "." + text))
		return hex.EncodeToString(mac.Sum(nil))
	}
	given, err := url.ParseQuery(query)
	if err != nil {
		return "", err
	}
	request := given.Get("lg_request")
	if !hmac.Equal([]byte(sign("lg_request", request)), []byte(given.Get("lg_sig"))) {
		return "", errors.New("not signed by linkgate")
	}
	var asked struct {
		Jti      string `json:"jti"`
		Iat      int64  `json:"iat"`
		Exp      int64  `json:"exp"`
		ReturnTo string `json:"return_to"`
		Fresh    bool   `json:"fresh"`
	}
	decoded, err := base64.RawURLEncoding.DecodeString(request)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(decoded, &asked); err != nil {
		return "", err
	}
	if asked.Exp <= now {
		return "", errors.New("too late")
	}
	if asked.Fresh && authTime < asked.Iat {
		return "", errors.New("sign in again")
	}
	answer := struct {
		Jti      string `json:"jti"`
		Sub      string `json:"sub"`
		Name     string `json:"name"`
		Iat      int64  `json:"iat"`
		Exp      int64  `json:"exp"`
		AuthTime int64  `json:"auth_time"`
	}{asked.Jti, sub, name, now, now + 60, authTime}
	var written bytes.Buffer
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(bytes.TrimSpace(written.Bytes()))
	return fmt.Sprintf("%s?lg_answer=%s&lg_sig=%s", asked.ReturnTo, text, sign("lg_answer", text)), nil
}

func main() {
	now, err := strconv.ParseInt(os.Args[2], 10, 64)
	var authTime int64
	if err == nil {
		authTime, err = strconv.ParseInt(os.Args[6], 10, 64)
	}
	if err == nil {
		var back string
		if back, err = WayBack(os.Args[1], os.Args[3], os.Args[4], os.Args[5], authTime, now); err == nil {
			fmt.Println(back)
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
