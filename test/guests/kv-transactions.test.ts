// MULTI is refused, and with it what follows; and a browser's request is no list of commands.
import { describe, expect, test } from 'vitest'
import { command, Guest } from './host.ts'

const NOT_EXECUTED = '-EXECABORT not executed: it follows MULTI, which is not supported\r\n'
const REFUSED = '-ERR MULTI is not supported\r\n'
const ABORTED = '-EXECABORT Transaction discarded because of: MULTI is not supported\r\n'

function openKv(): Guest {
  const guest = new Guest('kv')
  guest.open(1)
  guest.open(2)
  guest.ask(2, 'SET', 'precious', '1')
  return guest
}

describe('a refused MULTI', () => {
  test('refuses what follows, up to EXEC, in one pipeline', () => {
    const guest = openKv()
    const pipeline =
      command('MULTI') + command('SET', 'precious', '2') + command('FLUSHALL') + command('EXEC')
    expect(guest.send(1, pipeline + command('GET', 'precious'))).toBe(
      REFUSED + NOT_EXECUTED + NOT_EXECUTED + ABORTED + '$1\r\n1\r\n',
    )
    expect(guest.closed).toEqual([])
  })

  test.each([
    ['EXEC', ABORTED],
    ['DISCARD', '+OK\r\n'],
    ['RESET', '+RESET\r\n'],
  ])('up to %s', (name, answer) => {
    const guest = openKv()
    expect(guest.ask(1, 'multi')).toBe(REFUSED)
    expect(guest.ask(1, 'SET', 'precious', '2')).toBe(NOT_EXECUTED)
    expect(guest.ask(1, 'WATCH', 'precious')).toBe(NOT_EXECUTED)
    expect(guest.ask(1, 'MULTI')).toBe('-ERR MULTI calls can not be nested\r\n')
    expect(guest.ask(1, 'NOSUCH')).toBe("-ERR unknown command 'NOSUCH'\r\n")
    expect(guest.ask(1, 'GET')).toBe("-ERR wrong number of arguments for 'get' command\r\n")
    expect(guest.ask(1, name)).toBe(answer)
    expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
    expect(guest.ask(1, 'EXEC')).toBe('-ERR EXEC without MULTI\r\n')
    expect(guest.ask(1, 'DISCARD')).toBe('-ERR DISCARD without MULTI\r\n')
  })

  test('is of its connection alone, and QUIT still ends that', () => {
    const guest = openKv()
    guest.ask(1, 'MULTI')
    expect(guest.ask(2, 'INCR', 'precious')).toBe(':2\r\n')
    expect(guest.ask(1, 'QUIT')).toBe('+OK\r\n')
    expect(guest.closed).toEqual([1])
    guest.open(1)
    expect(guest.ask(1, 'INCR', 'precious')).toBe(':3\r\n')
  })

  test('is state of the guest: a copy of its memory refuses as well', () => {
    const guest = openKv()
    guest.ask(1, 'MULTI')
    const copy = new Guest('kv', { memory: guest.snapshot() })
    expect(copy.ask(1, 'SET', 'precious', '2')).toBe(NOT_EXECUTED)
    expect(copy.ask(1, 'EXEC')).toBe(ABORTED)
    expect(copy.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
  })

  test('WATCH and UNWATCH are refused without it too', () => {
    const guest = openKv()
    const words = '-ERR WATCH is not supported: neither are transactions\r\n'
    expect(guest.ask(1, 'WATCH', 'precious')).toBe(words)
    expect(guest.ask(1, 'UNWATCH')).toBe(words)
    expect(guest.ask(1, 'MULTI', 'x')).toMatch(/^-ERR wrong number of arguments/)
    expect(guest.ask(1, 'GET', 'precious')).toBe('$1\r\n1\r\n')
  })
})

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
      "-ERR unknown command 'PUT'\r\n",
    ],
    [
      'in capitals',
      `GET\r\nHOST: x\r\n\r\n${body}`,
      "-ERR wrong number of arguments for 'get' command\r\n",
    ],
    ['behind a command', `ECHO x\r\nPOST /\r\n${body}`, '$1\r\nx\r\n'],
    ['as an array', command('POST', '/') + command('FLUSHALL'), ''],
    ['behind a refused MULTI', `MULTI\r\nPOST /\r\n${body}`, REFUSED],
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
