// A browser's request is no list of commands: a web page can make it send one to the guest's port.
import { describe, expect, test } from 'vitest'
import { command, Guest } from './host.ts'

function openKv(): Guest {
  const guest = new Guest('kv')
  guest.open(1)
  guest.open(2)
  guest.ask(2, 'SET', 'precious', '1')
  return guest
}

describe("a browser's request", () => {
  const body = 'FLUSHALL\r\nSET owned 1\r\n'
  const headers = `Host: 127.0.0.1:6380\r\nContent-Length: ${body.length}\r\n\r\n`

  test.each([
    ['POST', `POST / HTTP/1.1\r\n${headers}${body}`, ''],
    ['in small letters', `post / HTTP/1.1\r\n${headers}${body}`, ''],
    ['POST without a header', `POST / HTTP/1.1\r\n\r\n${body}`, ''],
    [
      'Host: of another method',
      `PUT / HTTP/1.1\r\n${headers}${body}`,
      "-ERR unknown command 'PUT', with args beginning with: '/' 'HTTP/1.1' \r\n",
    ],
    [
      'in capitals',
      `GET\r\nHOST: x\r\n\r\n${body}`,
      "-ERR wrong number of arguments for 'get' command\r\n",
    ],
    ['behind a command', `ECHO x\r\nPOST /\r\n${body}`, '$1\r\nx\r\n'],
    ['as an array', command('POST', '/') + command('FLUSHALL'), ''],
    ['behind MULTI', `MULTI\r\nPOST /\r\n${body}`, '+OK\r\n'],
  ])('%s: the connection is closed and nothing of the body is carried out', (_, request, heard) => {
    for (const size of [1, 7, request.length]) {
      const guest = openKv()
      let said = ''
      for (let at = 0; at < request.length; at += size) {
        said += guest.send(1, request.slice(at, at + size))
      }
      expect(said).toBe(heard)
      expect(guest.closed).toEqual([1])
      expect(guest.ask(2, 'MGET', 'precious', 'owned')).toBe('*2\r\n$1\r\n1\r\n$-1\r\n')
    }
  })
})
