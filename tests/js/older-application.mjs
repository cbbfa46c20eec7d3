// An application of the kind that is taken over: mongoose models as documented, bcrypt hashes, documents with holes.
//
//   node older-application.mjs fill mongodb://…/chat     fills an empty database; prints who is who, as JSON
//   node older-application.mjs read mongodb://…/chat     prints all it finds, as its own code sees it
//   node older-application.mjs write mongodb://…/chat    writes on: messages, readings, an account
import bcrypt from 'bcryptjs';
import mongoose from 'mongoose';

const { Schema } = mongoose;
const HASH_COST = 6;
const MINUTE = 60_000;
const BEGINNING = Date.parse('2024-03-01T09:00:00.000Z');

const userSchema = new Schema(
  {
    username: { type: String, required: true, unique: true, trim: true },
    email: { type: String, required: true, unique: true, trim: true },
    password: { type: String, required: true },
    isOnline: { type: Boolean, default: false },
    lastSeen: { type: Date, default: Date.now },
  },
  { timestamps: true },
);

const messageSchema = new Schema({
  sender: { type: Schema.Types.ObjectId, ref: 'User', required: true },
  receiver: { type: Schema.Types.ObjectId, ref: 'User', required: true },
  message: { type: String, required: true },
  isRead: { type: Boolean, default: false },
  timestamp: { type: Date, default: Date.now },
});
messageSchema.index({ sender: 1, receiver: 1, timestamp: -1 });

/** `$2a$` is what most libraries wrote, `$2b$` what newer ones do. */
async function hash(password, version) {
  const salt = await bcrypt.genSalt(HASH_COST);
  return bcrypt.hash(password, salt.replace(/^\$2[ab]\$/, `$${version}$`));
}

const ACCOUNTS = [
  { name: 'ann', username: 'ann', email: 'ann@example.org', password: 'ann from the old days', version: '2a' },
  { name: 'bob', username: 'bob', email: 'bob@example.org', password: 'bob', version: '2b' },
  { name: 'cid', username: 'Cid Long Name!', email: 'cid@example.org', password: 'c'.repeat(90), version: '2a' },
  { name: 'firstSam', username: 'Sam', email: 'Sam@example.org', password: 'the older Sam', version: '2a' },
  { name: 'secondSam', username: 'sam', email: 'sam@example.org', password: 'the newer sam', version: '2b' },
  { name: 'bare', username: 'bare', email: 'bare@example.org', password: 'hardly a document', version: '2a', bare: true },
];

/**
 * `[from, to, how many, of which the last so many are unread]`. A few hundred in all: a server that reads by scan takes
 * their square to number them.
 */
const TALKS = [
  ['ann', 'bob', 150, 7],
  ['cid', 'ann', 165, 165],
  ['bob', 'cid', 20, 0],
  ['firstSam', 'secondSam', 12, 3],
];

async function makeUsers(User) {
  const ids = {};
  for (const { name, username, email, password, version, bare } of ACCOUNTS) {
    const fields = { username, email, password: await hash(password, version) };
    // A document from before half of the fields were thought of: written past the model.
    if (bare) ids[name] = (await User.collection.insertOne(fields)).insertedId;
    else ids[name] = (await User.create(fields))._id;
  }
  return ids;
}

/** Both sides in turn; every tenth message has the time of the one before, and one conversation runs backwards on disk. */
function talk(ids, [left, right, count, unread]) {
  const messages = [];
  for (let n = 0; n < count; n += 1) {
    const [from, to] = n % 3 === 2 ? [right, left] : [left, right];
    messages.push({
      sender: ids[from],
      receiver: ids[to],
      message: `${left} ${right} ${n}`,
      isRead: n < count - unread,
      timestamp: new Date(BEGINNING + (n - (n % 10 === 9 ? 1 : 0)) * MINUTE),
    });
  }
  return left === 'bob' ? messages.reverse() : messages;
}

/** Documents that the model would not write today, but once did. */
const oddMessages = (ids) => [
  { sender: ids.bare, receiver: ids.ann, message: 'nobody noted whether this was read', timestamp: new Date(BEGINNING) },
  { sender: ids.bare, receiver: ids.ann, message: 'nor when this was', isRead: true },
  { sender: ids.ann, receiver: ids.ann, message: 'a note to myself', isRead: false, timestamp: new Date(BEGINNING) },
  { sender: new mongoose.Types.ObjectId(), receiver: ids.bob, message: 'from one who left', isRead: true, timestamp: new Date(BEGINNING) },
  { sender: ids.cid, receiver: ids.bare, message: 'x'.repeat(9_000), isRead: false, timestamp: new Date(BEGINNING), edited: true },
];

async function fill({ User, Message }) {
  await Promise.all([User.init(), Message.init()]);
  const ids = await makeUsers(User);
  for (const each of TALKS) await Message.insertMany(talk(ids, each));
  await Message.collection.insertMany(oddMessages(ids));
  const accounts = ACCOUNTS.map((account) => ({ ...account, id: String(ids[account.name]) }));
  return { accounts, talks: TALKS, messages: await Message.countDocuments() };
}

async function read({ User, Message }) {
  const users = await User.find().sort({ _id: 1 });
  const messages = await Message.find().sort({ timestamp: 1, _id: 1 }).populate('sender', 'username');
  const unread = await Message.aggregate([
    { $match: { isRead: false } },
    { $group: { _id: '$receiver', count: { $sum: 1 } } },
  ]);
  return {
    users: users.map((user) => user.toObject({ versionKey: false, flattenObjectIds: true })),
    messages: messages.map(({ _id, sender, receiver, message, isRead, timestamp }) => ({
      id: String(_id),
      sender: sender?.username ?? null,
      receiver: String(receiver),
      message,
      isRead,
      timestamp,
    })),
    unread: Object.fromEntries(unread.map(({ _id, count }) => [String(_id), count])),
  };
}

async function write({ User, Message }) {
  const [ann, bob] = await Promise.all(['ann', 'bob'].map((username) => User.findOne({ username })));
  const written = [];
  for (let n = 0; n < 12; n += 1) {
    const [sender, receiver] = n % 2 ? [bob, ann] : [ann, bob];
    written.push(await Message.create({ sender: sender._id, receiver: receiver._id, message: `written on ${n}` }));
  }
  const reading = await Message.updateMany({ sender: ann._id, receiver: bob._id, isRead: false }, { isRead: true });
  const password = await hash('late but old', '2a');
  const late = await User.create({ username: 'late', email: 'late@example.org', password });
  return { messages: written.map(({ _id }) => String(_id)), read: reading.modifiedCount, late: String(late._id) };
}

const [does, uri] = process.argv.slice(2);
const work = { fill, read, write }[does];
if (!work || !uri) throw new Error('usage: older-application.mjs fill|read|write mongodb://…/database');
await mongoose.connect(uri);
const models = { User: mongoose.model('User', userSchema), Message: mongoose.model('Message', messageSchema) };
console.log(JSON.stringify(await work(models)));
await mongoose.disconnect();
