//! 日本語

mod admin;
mod notices;
mod signing_in;

use super::catalogue::{Approve, Connections, Dates, Login, Outgoing, Verifier};
use super::{Plural, Texts};

use admin::ADMIN;
use notices::NOTICES;
use signing_in::SIGNING_IN;

/// The catalogue.
pub(super) static TEXTS: Texts = Texts {
    lang: "ja",
    notices: NOTICES,
    admin: ADMIN,
    signing_in: SIGNING_IN,
    dates: Dates {
        moment: "{year}年{month}月{day}日 {hour}:{minute}\u{2060}（UTC）",
        months: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
    },
    outgoing: Outgoing {
        title: "アプリケーションがあなたとして利用するもの",
        lead: "接続すると、{application} があなたとして次のものを利用できます。",
        host: "アドレス",
        connect: "接続する",
        disconnect: "切断する",
        disconnect_meaning: "切断すると、もう一度接続するまで、{application} はあなたとして {link} を利用できなくなります。{link} 側の許可も取り消すには、{link} で取り消してください。",
    },
    connections: Connections {
        title: "接続済みのアプリケーション",
        lead: "次のアプリケーションは、期限が切れるか、アクセスが取り消されるまで、あなたとして {application} を利用できます。",
        none: "接続済みのアプリケーションはありません。",
        none_next: "接続するには、接続したいアプリケーションの側で操作を始めてください。{application} に移動し、許可を求めるページが表示されます。",
        host: "戻り先",
        connected: "接続日時",
        last_used: "最終使用",
        never: "未使用",
        from: "{address} から",
        expires: "有効期限",
        revoke: "取り消す",
        revoke_meaning: "取り消すと、{consumer} はあなたとして {application} を利用できなくなります。再び利用するには、もう一度あなたの許可が必要です。",
        revoke_confirm: "アクセスを取り消す",
        revoke_all: "すべて取り消す",
        revoke_all_meaning: "取り消すと、どのアプリケーションもあなたとして {application} を利用できなくなります。再び利用するには、それぞれもう一度あなたの許可が必要です。",
        revoke_all_confirm: "すべてのアクセスを取り消す",
        revoked: "アクセスを取り消しました。",
        signed_in_as: "{user} としてサインイン中",
    },
    reference: "問い合わせ番号",
    again: "ページを開き直す",
    sign_out: "サインアウト",
    seconds: Plural {
        one: "{count} 秒",
        other: "{count} 秒",
    },
    minutes: Plural {
        one: "{count} 分",
        other: "{count} 分",
    },
    approve: Approve {
        title: "{consumer} のアクセスを許可しますか？",
        heading: "{consumer} が {user} として {application} を利用することを許可しますか？",
        account: "あなたのアカウント",
        through_password: "パスワードでサインイン済み",
        through_application: "{application} からサインイン済み",
        through_provider: "ログイン サービスからサインイン済み",
        not_you: "別の方ですか？",
        another_account: "別のアカウントを使う",
        abilities: "許可すると、{consumer} は次のことができるようになります。",
        ability: [
            "あなたの権限で {application} を操作する",
            "あなたが閲覧・変更できるものをすべて閲覧・変更する",
            "あなたが取り消すまで、このアクセス権を保持する",
        ],
        password: "あなたのパスワードが {consumer} に知られることはありません。",
        returns: "このあと {host} に戻ります。",
        returns_with_code: "このあと、{consumer} に入力するコードが表示されます。",
        deny: "拒否",
        allow: "許可",
    },
    verifier: Verifier {
        title: "確認コード",
        heading: "このコードを {consumer} に入力してください",
        next: "{consumer} があなたとして {application} を利用することを許可しました。{consumer} でコードを入力すると完了します。",
        label: "コード",
        once: "コードが表示されるのは今回だけで、使えるのは一度だけです。ほかの人には教えないでください。入力が済んだら、\
               このページを閉じてください。",
    },
    login: Login {
        title: "サインイン",
        heading: "{application} にサインイン",
        why: "{consumer} が、あなたとして {application} を利用する許可を求めています。許可するかどうかは、サインインしたあとに決められます。",
        name: "ユーザー名",
        password: "パスワード",
        submit: "サインイン",
        wrong: "ユーザー名またはパスワードが正しくありません。",
        fresh: "安全のため、回答する前にもう一度サインインしてください。",
        consumer_never: "あなたのパスワードが {consumer} に知られることはありません。",
    },
};
