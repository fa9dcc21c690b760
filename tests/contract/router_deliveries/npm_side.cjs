// The npm package `standardwebhooks`, as the other side: signs and verifies what comes on standard input.
// Input: {"sign": [{secret, id, at, body}], "verify": [{secret, headers, body}]}; output: the same order.
const { Webhook } = require("standardwebhooks");
let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => {
  const asked = JSON.parse(text);
  const signed = (asked.sign || []).map((one) => ({
    ...one,
    headers: {
      "webhook-id": one.id,
      "webhook-timestamp": String(one.at),
      "webhook-signature": new Webhook(one.secret).sign(one.id, new Date(one.at * 1000), one.body),
    },
  }));
  const verified = (asked.verify || []).map((one) => {
    try {
      new Webhook(one.secret).verify(one.body, one.headers);
      return "verified";
    } catch (error) {
      return error.message;
    }
  });
  process.stdout.write(JSON.stringify({ signed, verified }));
});
