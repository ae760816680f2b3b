//! The pages for administrators.

use super::super::catalogue::{Admin, Links, OtherSides, Plural, Refusals, Tokens};

pub(super) const ADMIN: Admin = Admin {
    title: "管理",
    links: LINKS,
    other_sides: OTHER_SIDES,
    tokens: TOKENS,
    refusals: REFUSALS,
};

const LINKS: Links = Links {
    title: "リンク",
    lead: "linkgate に登録されたコンシューマーごとに、Bitbucket に入力する値を示します。秘密の値は表示されません。",
    none: "コンシューマーが登録されていません。",
    none_next: "linkgate の設定に [[consumers]] の項目を追加するか、linkgate consumer add を実行してください。",
    steps_title: "Bitbucket での操作",
    steps: [
        "Administration > Application Links > Create link（管理 > アプリケーション リンク > リンクを作成）を開きます。\
         Bitbucket 7.21 以降では種類に「Atlassian product」を選びます。「External application」は OAuth 2 です。",
        "アプリケーションの URL として次の値を入力します。応答がないと表示されても、そのまま続けてください。",
        "下にあるコンシューマーの値をフォームに入力します。",
    ],
    form_title: "Bitbucket のフォームに入力する値",
    copy: "コピー",
    copied: "コピーしました",
    unchecked: "チェックしないでください",
    secret_in_file: "ファイル {file} の内容（末尾の空白や改行は除く）",
    secret_in_entry: "linkgate の設定にある、このコンシューマーの shared_secret",
    secret_by_command: "linkgate consumer add でこのコンシューマーを追加したときのシークレット",
    own_key: "このコンシューマーは自分の鍵で署名するため、シークレットの入力は不要です。Bitbucket の \
              /plugins/servlet/oauth/consumer-info に表示されるコンシューマー キーと公開鍵が、次の値と一致している必要があります。",
    key_size: "RSA、{bits} ビット、{fingerprint}",
    settings_title: "linkgate が許可していること",
    methods: "署名方式",
    callbacks: "許可されたコールバック",
    two_legged: "自身としての呼び出し",
    impersonation: "任意のユーザーとしての操作",
    yes: "可",
    yes_as: "可（{user} として）",
    no: "不可",
    shows_title: "設定後の Bitbucket の表示",
    shows: [
        "アプリケーション リンクの一覧に、入力した名前でリンクが表示されます。",
        "リンクを初めて使うユーザーには接続が求められます。linkgate のページが新しいウィンドウで開き、回答すると閉じます。",
        "その後、接続は「トークン」に表示されます。",
    ],
    off: "無効",
    warning: "警告",
    warn_path: "public_url にパス {path} が含まれています。アプリケーションの URL は、パスを付けずに、ここに表示されているとおりに\
                入力してください。パスを付けると、Bitbucket は 3 つの URL をパスなしで呼び出します。",
    warn_http: "public_url が http で始まっているため、署名された内容を通信の途中で読み取られるおそれがあります。テスト以外では https を\
                使ってください。",
    warn_key: "{bits} ビットの鍵は強度が不足しています。2048 ビット以上の鍵を用意してもらってください。",
    warn_no_callbacks: "許可されたコールバックがないため、ユーザーがコードを手で入力する必要があります。Bitbucket のアドレスを \
                        callbacks に追加してください。",
    warn_off: "このコンシューマーは無効です。署名されたリクエストはすべて拒否されます。",
    warn_clock: "このコンシューマーの時計のずれのため、最近リクエストが拒否されました。コンシューマーの時刻とこのサーバーの時刻を\
                 比べてください。",
    clock: "このサーバーの時刻",
};

const OTHER_SIDES: OtherSides = OtherSides {
    title: "逆方向のリンク",
    lead: "linkgate が署名する、アプリケーション自身の呼び出しの状況です。",
    key: "署名に使う鍵（フィンガープリント）",
    reached: "最後に到達した日時",
    success: "最後に成功した日時",
    clock: "相手の時計との差",
    seconds: "{seconds} 秒",
    problem: "最後の問題",
    never: "まだありません",
};

const TOKENS: Tokens = Tokens {
    title: "トークン",
    lead: "ユーザーが許可した接続です。表示できるのは、そのユーザーと管理者だけです。",
    none: "該当するトークンはありません。",
    user: "ユーザー",
    consumer: "コンシューマー",
    every_consumer: "すべてのコンシューマー",
    search: "検索",
    state: "状態",
    live: "有効",
    renewable: "期限切れ（更新可能）",
    expired: "期限切れ",
    revoked: "取り消し済み",
    revoke_meaning: "取り消すと、{consumer} は {user} として {application} を利用できなくなります。再び利用するには、もう一度許可が\
                     必要です。",
    pages: "ページ",
    previous: "新しいもの",
    next: "古いもの",
};

const REFUSALS: Refusals = Refusals {
    title: "最近の拒否",
    lead: "拒否された署名付きリクエストと、コンシューマーに伝えた理由です。新しい順に表示されます。",
    memory: "このプロセスが {time} 以降に拒否したもののうち、記憶している分です。すべての拒否は、同じ問い合わせ番号でログに\
             記録されています。",
    none: "拒否されたリクエストはありません。",
    request: "リクエスト",
    from: "送信元",
    at: "日時",
    unregistered: "未登録",
    nobody: "コンシューマーの指定なし",
    times: Plural {
        one: "{count} 回",
        other: "{count} 回",
    },
};
