# A shop with Ruby's own libraries: WEBrick, OpenSSL, PStore.
require 'webrick'
require 'openssl'
require 'json'
require 'net/http'
require 'pstore'
require 'securerandom'

$stdout.sync = true
PORT = Integer(ENV.fetch('PORT'))
ORIGIN = "http://127.0.0.1:#{PORT}".freeze
SECRET = ENV.fetch('STRIPE_WEBHOOK_SECRET')
RANK = { 'unpaid' => 0, 'expired' => 1, 'failed' => 1, 'no_payment_required' => 2, 'paid' => 2 }.freeze
MEANS = {
  'checkout.session.completed' => nil,
  'checkout.session.async_payment_succeeded' => 'paid',
  'checkout.session.async_payment_failed' => 'failed',
  'checkout.session.expired' => 'expired'
}.freeze
STORE = PStore.new('shop.pstore', true)
STORE.ultra_safe = true

def genuine(header, body)
  items = header.to_s.split(',').map { |item| item.split('=', 2) }
  at = items.to_h['t'].to_s
  return unless at.match?(/\A\d+\z/) && (Time.now.to_i - at.to_i).abs <= 300

  wanted = OpenSSL::HMAC.hexdigest('SHA256', SECRET, "#{at}.#{body}")
  fits = items.any? { |name, value| name == 'v1' && OpenSSL.secure_compare(wanted, value.to_s) }
  JSON.parse(body) if fits
rescue JSON::ParserError
  nil
end

def take(event)
  thing = event['data']['object']
  type = event['type']
  if MEANS.key?(type) && thing['amount_total']
    book(event, thing, MEANS[type] || thing['payment_status'])
  elsif %w[refund.created refund.updated refund.failed].include?(type)
    STORE.transaction do
      known = STORE[thing['id']]
      gone = %w[failed canceled].include?(thing['status']) || known&.fetch('gone')
      STORE[thing['id']] = { 'payment_intent' => thing['payment_intent'], 'amount' => thing['amount'], 'gone' => gone }
    end
  end
end

def book(event, session, status)
  STORE.transaction do
    known = STORE[session['id']]
    if known.nil? || RANK[status] > RANK[known['status']]
      STORE[session['id']] = {
        'session_id' => session['id'], 'amount' => session['amount_total'], 'currency' => session['currency'],
        'status' => status, 'created' => session['created'], 'updated' => event['created'],
        'payment_intent' => session['payment_intent'], 'event_id' => event['id']
      }
    end
  end
  puts "#{event['id']} #{session['id']} #{session['amount_total']} #{session['currency']} #{status}"
end

def rows
  all = STORE.transaction(true) { STORE.roots.to_h { |id| [id, STORE[id]] } }
  refunds = all.values.reject { |it| it['session_id'] || it['gone'] }
  all.values.select { |it| it['session_id'] }.map do |row|
    back = refunds.select { |it| it['payment_intent'] == row['payment_intent'] }.sum { |it| it['amount'] }
    next row unless row['status'] == 'paid' && back.positive?

    row.merge('status' => back >= row['amount'] ? 'refunded' : 'partially_refunded')
  end
end

def buy(order)
  wish = {
    'mode' => 'payment', 'success_url' => "#{ORIGIN}/success?session_id={CHECKOUT_SESSION_ID}",
    'cancel_url' => "#{ORIGIN}/cancel", 'line_items[0][quantity]' => 1,
    'line_items[0][price_data][currency]' => 'jpy', 'line_items[0][price_data][unit_amount]' => 500,
    'line_items[0][price_data][product_data][name]' => 'Green tea'
  }
  headers = { 'Authorization' => "Bearer #{ENV.fetch('STRIPE_SECRET_KEY')}" }
  headers['Idempotency-Key'] = "order-#{order}" if order
  answer = Net::HTTP.post(URI("#{ENV.fetch('STRIPE_API_BASE')}/v1/checkout/sessions"), URI.encode_www_form(wish), headers)
  JSON.parse(answer.body).fetch('url')
end

server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: PORT, AccessLog: [], Logger: WEBrick::Log.new($stdout))

# A route for one method; others are answered with 405.
route = lambda do |path, method, &does|
  server.mount_proc(path) do |request, response|
    puts "#{request.request_method} #{request.unparsed_uri}"
    if request.path != path
      response.status = 404
    elsif request.request_method == method
      response['Content-Type'] = 'text/html; charset=utf-8'
      does.call(request, response)
    else
      response.status = 405
    end
  end
end

route.call('/', 'GET') do |_, response|
  response.body = '<!doctype html><h1>Hello, tea</h1><form method="post" action="/checkout">' \
                  "<input type=\"hidden\" name=\"order\" value=\"#{SecureRandom.hex}\"><button>Buy</button></form>"
end
route.call('/success', 'GET') { |_, response| response.body = '<!doctype html><h1>Thank you</h1><a href="/">Back</a>' }
route.call('/cancel', 'GET') { |_, response| response.body = '<!doctype html><h1>Nothing was charged</h1>' }
route.call('/checkout', 'POST') do |request, response|
  response.status = 303
  response['Location'] = buy(request.query['order'])
end
route.call('/ledger', 'GET') do |request, response|
  if %w[127.0.0.1 localhost].include?(request.host)
    response['Content-Type'] = 'application/json'
    response.body = JSON.generate('rows' => rows)
  else
    response.status = 403
  end
end
route.call('/webhook', 'POST') do |request, response|
  event = genuine(request['Stripe-Signature'], request.body.to_s)
  response.status = event ? 200 : 400
  begin
    take(event) if event && event['object'] == 'event' && !event['livemode']
  rescue StandardError => e
    puts "failed: #{e.message}"
    response.status = 500
  end
end

trap('TERM') { server.shutdown }
server.start
