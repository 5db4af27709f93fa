// A test speaks to a client in lines of JSON: settings first, then an answer to each question.
import { createInterface } from "node:readline";

export async function conversation() {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  return {
    settings: await next(),
    ask: (question) => (say(question), next()),
    tell: (result) => {
      say(result);
      process.exitCode = 0;
      process.stdin.destroy();
    },
  };
}
