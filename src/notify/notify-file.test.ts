import { expect, test } from "vitest";
import { parseNotifyFile } from "./notify-file.ts";

const SECRET = "https://hooks.example.org/services/T0/B0/secret";
const problems = (text: string): readonly string[] => {
  const parsed = parseNotifyFile("notify.yaml", text);
  return "problems" in parsed
    ? parsed.problems.map(({ line, column, path, message, remedy }) => `${line}:${column} ${path}: ${message}. ${remedy}`)
    : [];
};

test("a file is its settings, with what is not given filled in", () => {
  const text = `
window: 90s
receivers:
- {name: chat, type: Slack, urlFile: slack.url, events: [Failover, FailOpen]}
- {name: hook, type: Webhook, url: "${SECRET}", signingKeyFile: hook.key, routes: [web/shop, test/*]}
- {name: alerts, type: Alertmanager, url: "http://127.0.0.1:9093", tokenFile: token}
`;
  const all = ["Failover", "FailOpen", "WithdrawalHeld", "DrillAborted", "ConfigRejected", "ProviderFailing", "Degraded"];
  expect(parseNotifyFile("notify.yaml", text)).toEqual({
    settings: {
      windowMs: 90_000,
      receivers: [
        { name: "chat", type: "Slack", url: { file: "slack.url" }, events: ["Failover", "FailOpen"] },
        { name: "hook", type: "Webhook", url: { text: SECRET }, signingKeyFile: "hook.key", events: all, routes: ["web/shop", "test/*"] },
        { name: "alerts", type: "Alertmanager", url: { text: "http://127.0.0.1:9093" }, tokenFile: "token", events: all },
      ],
    },
  });
});

test("without a window it is five minutes", () => {
  expect(parseNotifyFile("n", "receivers: [{name: a, type: Slack, urlFile: u}]")).toMatchObject({ settings: { windowMs: 300_000 } });
});

test.each([
  { name: "an empty file", text: "# nothing\n", says: [/^0:0 : is empty\. Write its receivers/] },
  { name: "no receivers", text: "receivers: []\n", says: [/^1:12 receivers: has 0 entries/] },
  { name: "broken YAML", text: "receivers: [\n", says: [/not valid YAML/] },
  {
    name: "two documents",
    text: "receivers: [{name: a, type: Slack, urlFile: u}]\n---\nreceivers: []\n",
    says: [/^3:1 .*second document/],
  },
  {
    name: "a misspelt type",
    text: "receivers:\n- {name: a, type: Slakc, urlFile: u}\n",
    says: [/^2:19 receivers\[0\]\.type: "Slakc" is not one of .* Did you mean Slack/],
  },
  {
    name: "a misspelt event",
    text: "receivers:\n- {name: a, type: Slack, urlFile: u, events: [FailOvr]}\n",
    says: [/Did you mean Failover/],
  },
  { name: "an unknown field", text: "receivers:\n- {name: a, type: Slack, urlFile: u, chanel: x}\n", says: [/"chanel" is not a field/] },
  { name: "no place", text: "receivers:\n- {name: a, type: Slack}\n", says: [/not exactly one of url and urlFile/] },
  {
    name: "two places",
    text: `receivers:\n- {name: a, type: Slack, urlFile: u, url: "${SECRET}"}\n`,
    says: [/not exactly one of url and urlFile/],
  },
  {
    name: "two of one name",
    text: "receivers:\n- {name: a, type: Slack, urlFile: u}\n- {name: a, type: Slack, urlFile: u}\n",
    says: [/^3:4 .*earlier receiver/],
  },
  {
    name: "a key that nobody would use",
    text: "receivers:\n- {name: a, type: Slack, urlFile: u, signingKeyFile: k}\n",
    says: [/for receivers of type Webhook/],
  },
  {
    name: "a window that is no duration",
    text: "window: soon\nreceivers: [{name: a, type: Slack, urlFile: u}]\n",
    says: [/^1:1 window: "soon" is no duration/],
  },
  {
    name: "a route without a namespace",
    text: "receivers:\n- {name: a, type: Slack, urlFile: u, routes: [shop]}\n",
    says: [/Write NAMESPACE\/NAME/],
  },
])("$name is refused with its place", ({ text, says }) => {
  const found = problems(text);
  expect(found).toHaveLength(says.length);
  for (const [i, pattern] of says.entries()) expect(found[i]).toMatch(pattern);
});

test("a URL that is none is not shown: it may be a secret with a slip", () => {
  const found = problems(`receivers:\n- {name: a, type: Slack, url: "htps://hooks.example.org/secret"}\n`);
  expect(found).toEqual(["2:31 receivers[0].url: is no URL of HTTP. Write it as in https://hooks.example.org/services/…."]);
});
