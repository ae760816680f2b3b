-- A reference stood for what was refused. No refusal is written down: a stranger would be the one who writes.

alter table audit drop column reference;
