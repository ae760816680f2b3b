//! 日本語

mod notices;

use super::catalogue::{Approve, Login, Verifier};
use super::{Plural, Texts};

use notices::NOTICES;

/// The catalogue.
pub(super) static TEXTS: Texts = Texts {
    lang: "ja",
    notices: NOTICES,
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
        not_you: "別の方ですか？",
        another_account: "別のアカウントを使う",
        abilities: "許可すると、{consumer} は次のことができるようになります。",
        ability: [
            "あなたの権限で {application} を操作する",
            "あなたが閲覧・変更できるものをすべて閲覧・変更する",
            "取り消されるまで、このアクセス権を保持する",
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
        consumer_never: "あなたのパスワードが {consumer} に知られることはありません。",
    },
};
