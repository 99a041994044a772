// The drawings, each of one idea. `say` gives the words in the language of the picture.
import { drawSequence } from "../../dist/cli/sim/sequence.js";
import { arrow, box, cross, stroke, svg, text } from "../../dist/cli/sim/svg.js";

const WIDTH = 800;
const middle = { anchor: "middle" };

/** Two machines, the socket of each, and the connection between them. */
export function endPoints(say) {
  const machine = (x, tone, [name, program, port, chosen, address]) => [
    box(x, 56, 290, 214, "quiet", "card"),
    text(x + 145, 82, say(name), { ...middle, bold: true, size: 15 }),
    box(x + 25, 98, 240, 40, "text", "card"),
    text(x + 145, 123, say(program), { ...middle, size: 14 }),
    stroke(`M${x + 145} 138 V160`, tone, 2),
    box(x + 25, 160, 240, 58, tone, "card"),
    text(x + 145, 184, `${say("a socket")}: ${say(port)}`, { ...middle, bold: true, size: 14, tone }),
    text(x + 145, 204, say(chosen), { ...middle, tone: "quiet" }),
    text(x + 145, 250, say(address), { ...middle, mono: true, size: 14 }),
  ];
  return document(
    say,
    "A connection joins two end points, each an address and a port",
    "two machines with their sockets",
    336,
    [
      ...machine(16, "blue", [
        "the client's machine",
        "your program",
        "port 49152",
        "chosen by the system",
        "address 192.0.2.10",
      ]),
      ...machine(494, "green", [
        "the server's machine",
        "the server",
        "port 7000",
        "chosen by the server",
        "address 198.51.100.7",
      ]),
      arrow(402, 189, 287, 189, "text"),
      arrow(398, 189, 513, 189, "text"),
      text(400, 178, say("the network"), middle),
      text(400, 312, "192.0.2.10:49152 ↔ 198.51.100.7:7000", { ...middle, mono: true, size: 15, bold: true }),
    ],
  );
}

/** What goes in and what comes out, of both kinds. */
export function kinds(say) {
  const cells = (x, y, groups, tone, gap) => {
    let at = x;
    return groups.flatMap((letters) => {
      const width = 18 * letters.length + 8;
      const shapes = [
        box(at, y, width, 30, tone, "card"),
        ...[...letters].map((letter, index) =>
          text(at + 13 + 18 * index, y + 20, letter, { ...middle, mono: true, size: 15 }),
        ),
      ];
      at += width + gap;
      return shapes;
    });
  };
  const half = (x, tone, title, [from, into], sentence) => [
    box(x, 48, 376, 214, "quiet", "card"),
    text(x + 188, 76, say(title), { ...middle, bold: true, size: 15, tone }),
    text(x + 360, 128, say(from), { anchor: "end", tone: "quiet" }),
    text(x + 360, 214, say(into), { anchor: "end", tone: "quiet" }),
    text(x + 188, 250, say(sentence), { ...middle, size: 13 }),
  ];
  return document(say, "The telephone and the mailbox", "a stream of bytes and single datagrams", 282, [
    ...half(16, "green", "connection (TCP)", ["written", "read"], "every byte, in order, without message boundaries"),
    ...cells(36, 108, ["hola", "a", "todos"], "green", 12),
    arrow(120, 144, 120, 172, "green"),
    ...cells(36, 194, ["ho", "laatod", "os"], "green", 12),
    ...half(408, "violet", "datagrams (UDP)", ["sent", "received"], "each whole or not at all; lost, twice, overtaken"),
    ...cells(428, 108, ["uno", "dos", "tres", "tu"], "violet", 12),
    arrow(459, 142, 459, 188, "violet"),
    stroke("M533 142 V160", "red", 1.5),
    cross(533, 166),
    arrow(604, 142, 672, 188, "violet"),
    arrow(692, 142, 545, 188, "violet"),
    arrow(696, 142, 591, 188, "violet", "5 4"),
    ...cells(428, 194, ["uno"], "violet", 0),
    ...cells(520, 194, ["tu"], "violet", 0),
    ...cells(570, 194, ["tu"], "violet", 0),
    ...cells(632, 194, ["tres"], "violet", 0),
  ]);
}

/** What client and server say to each other before and behind the loss of a connection. */
export function session(say) {
  let atUs = 0;
  const flight = (from, to, label, tone, lost = false) => {
    const sentUs = atUs;
    atUs += 10_000;
    return {
      from: say(from),
      to: say(to),
      sentUs,
      label: [label],
      tone,
      ...(lost ? { lost: "" } : { arrivedUs: atUs }),
    };
  };
  const [up, down] = [
    ["client", "server"],
    ["server", "client"],
  ];
  const before = [
    flight(...up, "hello", "blue"),
    flight(...down, "welcome: session 7f", "blue"),
    flight(...up, "message 1", "green"),
    flight(...down, "I have 1", "quiet"),
  ];
  const beginsUs = atUs;
  const meanwhile = [flight(...up, "message 2", "green", true), flight(...up, "message 3", "green", true)];
  const band = { name: "the connection is lost", hosts: [say("client"), say("server")], beginsUs, endsUs: atUs };
  const after = [
    flight(...up, "hello: resume session 7f", "blue"),
    flight(...down, "welcome: I have 1", "blue"),
    flight(...up, "message 2", "green"),
    flight(...up, "message 3", "green"),
    flight(...down, "I have 3", "quiet"),
  ];
  const bands = [band, { ...band, hosts: band.hosts.toReversed() }];
  const sequence = { hosts: band.hosts, flights: [...before, ...meanwhile, ...after], bands, moments: [], endUs: atUs };
  return drawSequence(sequence, { title: say("A session goes on over a new connection"), say, timeless: true });
}

/** The folders of each ring, from the table of the layers: a ring may use what is inside it. */
export function rings(layers) {
  const rows = [...layers.matchAll(/^ {2}(?:\/\/ (?:(Ring \d)|The ([\w ]+?)(?:\.|:|,| gather))|"?([\w/]+)"?: \{)/gm)];
  const found = [];
  for (const [, ring, part, folder] of rows) {
    if (ring !== undefined || part !== undefined) found.push({ name: ring ?? part, folders: [] });
    else found.at(-1)?.folders.push(folder);
  }
  const foldersOf = (...names) => found.filter(({ name }) => names.includes(name)).flatMap(({ folders }) => folders);
  const list = [
    ["ring 4: the command", foldersOf("Ring 4"), "amber"],
    ["ring 3: what users import", foldersOf("Ring 3", "composition root", "entry points"), "violet"],
    ["ring 2: networks", foldersOf("Ring 2", "simulator"), "blue"],
    ["ring 1: asynchronous, over any network", foldersOf("Ring 1"), "green"],
    ["ring 0: pure and synchronous", foldersOf("Ring 0"), "text"],
  ];
  // From the innermost on, around what is there already.
  let shapes = [];
  let height = 0;
  const step = 18;
  for (const [index, [name, folders, tone]] of [...list.entries()].toReversed()) {
    const x = 16 + step * index;
    const lines = wrapped(
      folders.map((folder) => (folder === "entries" ? "src/*.ts" : folder)),
      86 - 4 * index,
    );
    const top = 38 + 17 * lines.length;
    const words = [
      text(x + 14, 22, name, { bold: true, size: 14, tone }),
      ...lines.map((line, row) => text(x + 14, 42 + 17 * row, line, { mono: true, size: 12 })),
    ];
    const inner = height === 0 ? [] : [`<g transform="translate(0 ${top})">`, ...shapes, "</g>"];
    const own = height === 0 ? top + 8 : top + height + 14;
    shapes = [box(x, 0, WIDTH - 2 * x, own, tone, "card"), ...words, ...inner];
    height = own;
  }
  const say = (words) => words;
  return document(
    say,
    "The rings of the code: each uses only what is inside it",
    "folders of src by ring",
    height + 60,
    ['<g transform="translate(0 44)">', ...shapes, "</g>"],
  );
}

function wrapped(words, most) {
  const lines = [""];
  for (const word of words) {
    const longer = `${lines.at(-1)}  ${word}`.trim();
    if (longer.length <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

const TONES = { 2: "quiet", 31: "red", 32: "green", 33: "amber", 36: "blue" };
const CHARACTER = 9;
const LINE = 19;

/** The screen of a terminal: what a program printed, with its colours. */
export function terminal(printed, say) {
  const look = { tone: "text", bold: false };
  const shapes = [];
  const lines = printed.trimEnd().split("\n");
  for (const [row, line] of lines.entries()) {
    let column = 0;
    for (const [, code, run] of line.matchAll(/\u001b\[(\d+)m|([^\u001b]+)/g)) {
      if (code !== undefined) {
        if (code === "1") look.bold = true;
        else if (code === "22") Object.assign(look, { bold: false, tone: "text" });
        else look.tone = TONES[code] ?? "text";
        continue;
      }
      const shown = run.trim();
      const begin = column + run.length - run.trimStart().length;
      column += run.length;
      if (shown === "") continue;
      // Each word has its column, whatever the font.
      for (const { 0: word, index } of shown.matchAll(/\S+(?: \S+)*/g)) {
        const at = 22 + CHARACTER * (begin + index);
        shapes.push(
          text(at, 66 + LINE * row, word, { ...look, mono: true, size: 15, widthPx: CHARACTER * word.length }),
        );
      }
    }
  }
  const bar = ["red", "amber", "green"].map(
    (tone, index) => `<circle class="${tone}" cx="${26 + 20 * index}" cy="24" r="6"/>`,
  );
  const frame = [box(2, 2, WIDTH - 4, 64 + LINE * lines.length, "quiet", "card"), ...bar];
  const title = say("zocalo demo: the two kinds of socket, in a terminal");
  const description = printed.replaceAll(/\u001b\[\d+m/g, "");
  return svg(WIDTH, 68 + LINE * lines.length, { title, description }, [...frame, ...shapes]);
}

function document(say, title, description, height, shapes) {
  const head = text(WIDTH / 2, 28, say(title), { ...middle, bold: true, size: 16 });
  return svg(WIDTH, height, { title: say(title), description: say(description) }, [head, ...shapes]);
}
