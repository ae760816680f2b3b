# The texts of the pages in English. Each message is one page, each attribute one text of it. Values such as { $consumer } are
# escaped and isolated (bdi). A new language is a file like this one, and a line in src/web/i18n.rs.

## On several pages

common =
    .reference = Reference
    .again = Open the page again
    .sign-in = Sign in
    .sign-out = Sign out
    .copy = Copy
    .copied = Copied
    .sign-out-of = Sign out of { $application }
wait-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
wait-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
moment = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }, { $time }{"\u00A0"}UTC

## Pages for users

approve =
    .title = Allow { $consumer }?
    .heading = Allow { $consumer } to use { $application } as { $user }?
    .account = Your account
    .through-password = signed in with a password
    .through-application = signed in through { $application }
    .through-provider = signed in through your login service
    .not-you = Not you?
    .another-account = Use another account
    .abilities = { $consumer } will be able to:
    .ability-act = act in { $application } with your permissions
    .ability-change = read and change whatever you can
    .ability-keep = keep this access until { $time }, unless you revoke it earlier
    .revoke = You can revoke this access at any time at { $address }.
    .password = { $consumer } never sees your password.
    .returns = You will return to { $host }.
    .returns-with-code = You will get a code to enter in { $consumer }.
    .deny = Deny
    .allow = Allow

code =
    .title = Your code
    .heading = Give this code to { $consumer }
    .next = You allowed { $consumer } to use { $application } as you. Enter the code there, without spaces, to finish.
    .label = Code
    .once = The code is shown only once and can be used only once. Do not share it. Close this page after you have entered it.

login =
    .title = Sign in
    .heading = Sign in to { $application }
    .why = { $consumer } asks to use { $application } as you. You can decide after signing in.
    .name = Username
    .password = Password
    .submit = Sign in
    .wrong = Wrong username or password.
    .fresh = For security, sign in again before you answer.
    .consumer-never = { $consumer } never sees your password.

connections =
    .title = Connected applications
    .lead = These applications can use { $application } as you, each until it expires or you revoke it.
    .none = No applications are connected.
    .none-next = To connect an application, start in that application. It will send you here to ask for your permission.
    .host = Returns to
    .connected = Connected
    .last-used = Last used
    .never = Never
    .from = from { $address }
    .expires = Expires
    .revoke = Revoke
    .revoke-meaning = { $consumer } will no longer be able to use { $application } as you. To reconnect, it must ask you again.
    .revoke-confirm = Revoke access
    .revoke-all = Revoke all
    .revoke-all-meaning = No application will be able to use { $application } as you. Each one must ask you again.
    .revoke-all-confirm = Revoke all access
    .revoked = Access was revoked.
    .signed-in-as = Signed in as { $user }

outgoing =
    .title = Outgoing connections
    .lead = Once connected, { $application } can use these applications as you.
    .host = Address
    .connect = Connect
    .disconnect = Disconnect
    .disconnect-meaning = { $application } will no longer be able to use { $link } as you. To remove the permission in { $link } as well, revoke it there.

## Pages for administrators

admin =
    .title = Administration

admin-links =
    .title = Links
    .lead = Values to enter in Bitbucket for each registered consumer. This page shows no secrets.
    .none = No consumer is registered.
    .none-next = Add a [[consumers]] entry to the linkgate configuration, or run linkgate consumer add.
    .steps-title = In Bitbucket
    .step-create = Open Administration > Application Links > Create link. From Bitbucket 7.21 on, choose the type “Atlassian product”: “External application” means OAuth 2.
    .step-url = Enter this as the application's URL. If Bitbucket reports that it received no response, continue.
    .step-form = Fill in the form with the values of the consumer below.
    .form-title = Values for Bitbucket's form
    .copy-all = Copy all as text
    .name-is-host = The application has no name in the configuration, so this is its host, { $host }. To change it, set name in the [branding] section.
    .unchecked = Leave it unchecked
    .secret-in-file = The contents of { $file }, without trailing spaces or line breaks
    .secret-in-entry = The shared_secret of this consumer in the linkgate configuration
    .secret-by-command = The secret that was set or printed by `linkgate consumer add`
    .own-key-title = Nothing to enter in Bitbucket
    .own-key = This consumer signs with its own key, so there is no shared secret. The consumer key and public key that Bitbucket shows at /plugins/servlet/oauth/consumer-info must match these values.
    .key-size = RSA, { $bits } bits, { $fingerprint }
    .settings-title = Permissions
    .methods = Signature methods
    .callbacks = Allowed callbacks
    .two-legged = Two-legged requests (2LO)
    .impersonation = User impersonation (2LOi)
    .yes = Yes
    .yes-as = Yes, as { $user }
    .no = No
    .shows-title = What you see in Bitbucket then
    .shows-list = The list of application links shows the link under the name that you entered.
    .shows-approval = The first time a user uses the link, Bitbucket asks them to connect. The approval page opens in a new window, which closes after the user has answered.
    .shows-token = The connection then appears on the Tokens page.
    .off = disabled
    .warning = Warning
    .warn-path = public_url contains the path { $path }. Enter the application URL exactly as shown here, without the path. Otherwise Bitbucket calls the three URLs without it.
    .warn-http = public_url uses http, so requests and tokens can be read in transit. Use https except for testing.
    .warn-key = The public key has only { $bits } bits. Ask for a key of at least 2048 bits.
    .warn-no-callbacks = No callback URL is registered, so users have to copy a code by hand. Add the URL of Bitbucket to callbacks.
    .warn-off = This consumer is disabled. All its requests are rejected.
    .warn-clock = Requests of this consumer were recently rejected because its clock is wrong. Compare its time with the server time below.
    .clock = Server time

admin-outgoing =
    .title = Outgoing links
    .lead = Status of the application's own requests, which linkgate signs.
    .key = Signing key (fingerprint)
    .reached = Last contact
    .success = Last success
    .clock = Clock difference
    .seconds = { $seconds } s
    .problem = Last problem
    .never = not yet

admin-tokens =
    .title = Tokens
    .lead = All connections of all users. Users see only their own.
    .none = No matching tokens.
    .user = User
    .consumer = Consumer
    .every-consumer = All consumers
    .search = Search
    .state = State
    .live = valid
    .renewable = expired, can be renewed
    .expired = expired
    .revoked = revoked
    .revoke-meaning = { $consumer } will no longer be able to use { $application } as { $user }. To reconnect, it must ask again.
    .pages = Pages
    .previous = Newer
    .next = Older

admin-rejections =
    .title = Rejected requests
    .lead = Signed requests that were rejected, newest first, with the reason that the consumer received.
    .memory = Kept in memory since { $time }; older entries may be missing. The log has every rejected request with the same reference.
    .none = No rejected requests.
    .request = Request
    .from = From
    .at = Time
    .unregistered = not registered
    .nobody = No consumer key
    .times = { $count ->
        [one] { $count } time
       *[other] { $count } times
    }

## Errors and other notices: what happened, why and what did not happen, and one thing to do next

error-missing-token =
    .title = This link is incomplete
    .reason = The address has no valid request token: oauth_token is missing or given twice.
    .next = Start again from the application that sent you here.
error-unknown =
    .title = Request not found
    .reason = No access request matches this address. The address may be cut off, or the request is too old.
    .next = Start again from the application that sent you here.
error-access-token =
    .title = This is not an access request
    .reason = The address contains an access token, which is a permission that was already given. Nothing was changed.
    .next = Start again from the application that sent you here. If you see this page again, give its administrator the reference below.
error-expired =
    .title = Request expired
    .reason = You can answer an access request only for a few minutes. No access was given.
    .next = Go back to the application that sent you here and connect again.
error-used =
    .title = This request is complete
    .reason = The request was approved and the connection is set up.
    .next = You can close this page. If the connection does not work, start again from the application that sent you here.
error-answered =
    .title = This request was already answered
    .reason = Another account approved it, or you did before you signed out.
    .next = If it was you, go back to { $consumer }. If not, close this page and start again from { $consumer }.
error-code-shown =
    .title = The code was already shown
    .reason = You allowed { $consumer } to use { $application } as you. For security, the code is shown only once.
    .next = Enter the code in { $consumer }. If you no longer have it, start again from { $consumer }.
error-denied =
    .title = Access was denied
    .reason = { $consumer } was not given access to your account in { $application }. No data was shared.
    .next = You can close this page. If you change your mind, start again from { $consumer }.
error-consumer-disabled =
    .title = { $consumer } cannot connect
    .reason = An administrator has disabled { $consumer }. No access was given.
    .next = Contact the administrator of { $application } and give them the reference below.
error-user-changed =
    .title = You are now signed in as { $user }
    .reason = The form you sent was opened with another account. No access was given.
    .next = Review the request again and answer as { $user }.
error-form-outdated =
    .title = This page is out of date
    .reason = You signed in or out after opening the page, or the form was modified. Nothing was changed.
    .next = Open the page again and repeat your choice.
error-no-cookie =
    .title = Your browser sent no cookie
    .reason = This site needs a cookie to sign you in, and your browser did not send it.
    .next = Allow cookies for this site, open it at its usual address and try again.
error-cross-site =
    .title = Form blocked: sent from another site
    .reason = Another website tried to submit this form for you. Nothing was changed.
    .next = You can close this page. If it was you, start again from the application you were using.
error-bad-form =
    .title = This form could not be read
    .reason = A field is missing or was sent twice. Nothing was changed.
    .next = Start again from the application that sent you here.
error-form-too-large =
    .title = This form is too large
    .reason = The form is larger than this site accepts. Nothing was changed.
    .next = Start again from the application that sent you here.
error-not-by-link =
    .title = Use the buttons on the page
    .reason = You can allow or deny access only with the buttons on the page, not with a link. Nothing was changed.
    .next = Open the page and answer there.
error-method-not-allowed =
    .title = This page cannot be used that way
    .reason = This address does not support the HTTP method of the request. Nothing was changed.
    .next = Start again from the application that sent you here.
error-too-many =
    .title = Too many attempts
    .reason = There were too many attempts to sign in with this username or from your network.
    .next = Wait { $wait }, then try again.
error-login-unavailable =
    .title = Sign-in is temporarily unavailable
    .reason = Your username and password could not be checked. No access was given.
    .next = Try again in a minute. If the problem persists, give the administrator of { $application } the reference below.
error-store-down =
    .title = This service is not available right now
    .reason = The database is not responding. Your answer was not saved.
    .next = Try again in a minute. If the problem persists, give the administrator of { $application } the reference below.
error-signed-out =
    .title = You are signed out
    .reason = To give an application access, sign in again.
    .next = You can close this page.
error-signed-in =
    .title = You are signed in as { $user }
    .reason = You will be asked before an application gets access to your account in { $application }.
    .next = You can close this page.
error-not-admin =
    .title = This page is for administrators
    .reason = You are signed in as { $user }, who is not a linkgate administrator.
    .next = Ask the operator of linkgate to add your username to subjects in the [admin] section of the configuration, or sign out and use another account.
error-source-failed =
    .title = Sign-in is temporarily unavailable
    .reason = The login service did not respond, or its response was invalid. No access was given.
    .next = Try again in a minute. If the problem persists, give the administrator of { $application } the reference below.
error-still-anonymous =
    .title = You are not signed in to { $application }
    .reason = You came back from the sign-in page, but { $application } reports no signed-in user for this browser. No access was given.
    .next = Sign in to { $application } in this browser, then try again here. If you are already signed in there, give its administrator the reference below.
error-user-missing =
    .title = Your user could not be determined
    .reason = The proxy in front of this site handles sign-in, but your request did not name a user. No access was given.
    .next = Open the page again at this site's usual address. If the problem persists, give the administrator of { $application } the reference below.
error-sign-in-unknown =
    .title = This sign-in cannot be completed
    .reason = It was started in another browser, is already complete, or this browser did not keep the cookie. You were not signed in.
    .next = Sign in again. Allow cookies for this site if your browser blocks them.
error-sign-in-used =
    .title = This sign-in is already complete
    .reason = The same response was received twice. A response can be used only once.
    .next = Continue with the button below. If it was not you who just signed in, give the administrator of { $application } the reference.
error-sign-in-expired =
    .title = This sign-in took too long
    .reason = It must be completed within ten minutes. You were not signed in.
    .next = Sign in again.
error-sign-in-cancelled =
    .title = You were not signed in
    .reason = The login service cancelled the sign-in. No access was given.
    .next = Sign in again. If the login service showed an error, tell its administrator.
error-sign-in-invalid =
    .title = Invalid sign-in response
    .reason = The response does not match the request, has an invalid signature or is too old. You were not signed in.
    .next = Sign in again. If the problem persists, give the administrator of { $application } the reference below.
error-another-account =
    .title = To use another account, sign out of { $application }
    .reason = You are signed in here with the account that you use in { $application }. No access was given.
    .next = Sign out of { $application } and come back. You can then sign in with another account.
error-pause =
    .title = Sign in to continue
    .reason = You are not signed in here at the moment. No access was given.
    .next = Continue to the sign-in page. You will return here afterwards.
error-link-unknown =
    .title = Link not found
    .reason = No other application is linked under this name, or the link was removed.
    .next = Go back to { $application } and start from there.
error-link-not-pending =
    .title = This connection was not finished
    .reason = It was started by another user, is already complete, or took too long. Existing connections are unchanged.
    .next = Connect { $link } again.
error-link-denied =
    .title = { $link } was not connected
    .reason = You denied access in { $link }, or you are not allowed to give it. Existing connections are unchanged.
    .next = If you want to connect it after all, start again.
error-link-rejected =
    .title = { $link } rejected the request
    .reason = { $why } Existing connections are unchanged.
    .next = Give the administrator of { $application } the reference below.
error-link-no-response =
    .title = { $link } does not respond
    .reason = { $why } Existing connections are unchanged.
    .next = Try again in a minute.
error-link-return-unknown =
    .title = Unknown return address
    .reason = The address does not belong to an application that is linked with { $application }, or part of it is missing. You were not redirected.
    .next = Register the other application first with `linkgate link add --outgoing`, then create the link again.
