// Send each kind of call with @rudderstack/rudder-sdk-node: `node rudder.mjs URL KEY USER`. Exits with 1 when one was not taken.
import Analytics from '@rudderstack/rudder-sdk-node'

const [dataPlaneUrl, writeKey, userId] = process.argv.slice(2)
const analytics = new Analytics(writeKey, { dataPlaneUrl })
const calls = [
  ['identify', { traits: { name: '김하늘', logins: 2 } }],
  ['track', { event: 'SDK Tried', properties: { title: 'Celadon Cup "Crane" 🍵', price: 12.5, quantity: 3 } }],
  ['page', { name: 'Checkout', properties: { path: '/checkout' } }],
  ['group', { groupId: `group-of-${userId}`, traits: { seats: 5 } }],
  ['alias', { previousId: `before-${userId}` }],
]
const taken = calls.map(
  ([name, message]) => new Promise((resolve, reject) => {
    analytics[name]({ userId, ...message }, (error) => error ? reject(error) : resolve())
  })
)
await Promise.all([...taken, analytics.flush()])
