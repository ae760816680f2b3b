"""Forces a build through linkgate in a user's name: python force.py USER [BASE]"""

import sys
from pathlib import Path

from requests_oauthlib import OAuth1Session

user = sys.argv[1]
base = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:9080"
secret = Path(__file__).with_name("bitbucket.secret").read_text().strip()
name = {"xoauth_requestor_id": user}

with OAuth1Session("bitbucket", client_secret=secret) as session:
    # Buildbot looks at Remote-User when its page is opened, and keeps what it saw in a cookie: open it first.
    page = session.get(f"{base}/", params=name)
    if not page.ok:
        sys.exit(f"{page.status_code} {page.text}")
    call = {"jsonrpc": "2.0", "id": 1, "method": "force", "params": {"builderid": 1, "reason": "a test"}}
    answer = session.post(f"{base}/api/v2/forceschedulers/force", params=name, json=call)
    print(answer.status_code, answer.text)
    sys.exit(0 if answer.ok else 1)
