"""The chat scenario: two people on the real server, both on the client under test."""

import asyncio

import socketio
from reporter import same

EVENTS = ["private_message", "typing", "message_read", "online_users", "user_online", "user_offline", "error"]
UNACKNOWLEDGED = "without an acknowledgement"


async def run(make, job, report):
    text = job["text"]
    ann_user, ben_user = job["people"]

    def open_peer(token):
        return make(job["url"], job["transport"], {"token": token}, EVENTS)

    def to_ben(message):
        return {"receiverId": ben_user["id"], "message": message}

    ann = open_peer(ann_user["token"])
    ben = open_peer(ben_user["token"])
    messages = []

    async def connect():
        await ann.connect()
        same(await ann.next("online_users"), [[]])
        await ben.connect()
        [[other]] = await ben.next("online_users")
        same(other["userId"], ann_user["id"])
        came = {"userId": ben_user["id"], "username": ben_user["username"]}
        same(await ann.next("user_online"), [came])
        ann.reached()
        ben.reached()

    async def refused():
        stranger = open_peer("not a token")
        try:
            await stranger.connect()
        except socketio.exceptions.ConnectionError:
            pass
        else:
            raise AssertionError("the server accepted the connection")
        [error] = await stranger.next("connect_error")
        same(error["data"]["code"], "unauthorized")
        same(error["message"], error["data"]["message"])
        same(stranger.sio.connected, False)

    async def ack():
        [answer] = await ann.ask("private_message", to_ben(text))
        same(answer["ok"], True)
        message = answer["message"]
        same(message["message"], text)
        same([message["senderId"], message["receiverId"], message["seq"]], [ann_user["id"], ben_user["id"], 1])
        messages.append(message)

    async def delivery():
        same(await ben.next("private_message"), [messages[0]])

    async def confirmed():
        await ben.emit("private_message", {"receiverId": ann_user["id"], "message": UNACKNOWLEDGED})
        [message] = await ben.next("private_message")
        same(message["message"], UNACKNOWLEDGED)
        same(await ann.next("private_message"), [message])
        messages.append(message)

    async def typing():
        typist = {"senderId": ann_user["id"], "username": ann_user["username"]}
        await ann.emit("typing", {"receiverId": ben_user["id"], "isTyping": True})
        same(await ben.next("typing"), [{**typist, "isTyping": True}])
        same(await ann.ask("typing", {"receiverId": ben_user["id"], "isTyping": False}), [{"ok": True}])
        same(await ben.next("typing"), [{**typist, "isTyping": False}])

    async def read():
        first = messages[0]["id"]
        same(await ben.ask("message_read", {"messageId": first}), [{"ok": True, "count": 1}])
        same(await ann.next("message_read"), [{"messageId": first}])

    async def history():
        [page] = await ann.ask("get_chat_history", {"otherUserId": ben_user["id"]})
        same(page["ok"], True)
        found = [(message["id"], message["message"]) for message in page["messages"]]
        same(found, [(messages[0]["id"], text), (messages[1]["id"], UNACKNOWLEDGED)])

    async def failed():
        [answer] = await ann.ask("private_message", to_ben(""))
        same([answer["ok"], answer["error"]["code"]], [False, "invalid_input"])
        await ann.emit("private_message", to_ben(""))
        [error] = await ann.next("error")
        same(error["code"], "invalid_input")

    async def reconnect():
        await report.ask("restart")
        await asyncio.gather(ann.returned(), ben.returned())
        [answer] = await ann.ask("private_message", to_ben("after the restart"))
        same(answer["message"]["seq"], 3)
        same(await ben.next("private_message"), [answer["message"]])
        ann.reached()
        ben.reached()

    async def disconnect():
        await ben.disconnect()
        await ben.next("disconnect")
        gone = {"userId": ben_user["id"], "username": ben_user["username"]}
        same(await ann.next("user_offline"), [gone])
        await ann.disconnect()

    for check in [connect, refused, ack, delivery, confirmed, typing, read, history, failed, reconnect, disconnect]:
        await report.check(check.__name__, check)
