# frozen_string_literal: true

# The whole dance with Ruby's `oauth`, as Debian packages it (ruby-oauth).
#
# usage: dance.rb SETTINGS.json     (tests/clients/README.md describes the settings and the output)

require 'json'
require 'oauth'
require 'oauth/signature/plaintext'

require_relative 'approval'

CLIENT = 'ruby'
PLACEMENTS = { 'header' => :header, 'query' => :query_string, 'body' => :body }.freeze

def report(step, **more)
  puts JSON.generate({ client: CLIENT, step: step, **more })
  $stdout.flush
end

def required(fact, step, **more)
  report(step, ok: fact ? true : false, **more)
  exit 1 unless fact
end

# One consumer that connects one user.
class Dance
  def initialize(settings)
    @settings = settings
    @scheme = PLACEMENTS.fetch(settings['placement'])
    # The library takes an RSA key where the secret stands; it reads `private_key_file` in the header placement only.
    secret = settings['shared_secret'] || File.read(settings['private_key_file'])
    @consumer = OAuth::Consumer.new(
      settings['consumer_key'], secret,
      site: settings['base'], signature_method: settings['method'], scheme: @scheme,
      request_token_path: '/oauth/request-token', access_token_path: '/oauth/access-token',
      authorize_path: '/oauth/authorize'
    )
  end

  # Request token, approval, access token.
  def connect
    callback = @settings['callback']
    asked = @consumer.get_request_token(oauth_callback: callback)
    required(asked.callback_confirmed?, 'request token')
    back = Browser.new(@settings['user'], @settings['password']).approve(asked.authorize_url, callback)
    answer = URI.decode_www_form(URI(back).query).to_h
    required(answer['oauth_token'] == asked.token && answer['oauth_verifier'], 'approval')
    required(back.start_with?(callback), 'callback kept its own query')
    @token = asked.get_access_token(oauth_verifier: answer['oauth_verifier'])
    required(@token.token && @token.secret, 'access token')
  end

  # A signed request. A GET has no body that parameters could stand in, so there they go to the header.
  def signed(one, token)
    scheme = @scheme == :body && one['method'] == 'GET' ? :header : @scheme
    verb = one['method'].downcase.to_sym
    arguments = one['form'] ? [grouped(one['form'])] : []
    @consumer.create_signed_request(verb, one['target'], token, { scheme: scheme }, *arguments)
  end

  # One guarded call: the application must have seen what we meant, and whom.
  def call(one, user: @settings['user'], token: @token)
    request = signed(one, token)
    answer = send(request)
    required(false, one['name'], status: answer.code, answer: answer.body) unless answer.code == '200'
    seen = JSON.parse(answer.body)
    meant = { method: one['method'], target: request.path, user: [user], query: one['query'],
              form: sorted(one['form'] || []), authorization: [] }
    got = { method: seen['method'], target: seen['target'], user: seen['headers']['remote-user'] || [],
            query: without_oauth(seen['query']), form: sorted(without_oauth(seen['form'])),
            authorization: seen['headers']['authorization'] || [] }
    required(got == meant, one['name'], **(got == meant ? {} : { got: got, meant: meant }))
    request
  end

  # The same bytes once more.
  def replay(request)
    answer = send(request)
    problem = URI.decode_www_form(answer.body).to_h['oauth_problem']
    challenge = answer['WWW-Authenticate'].to_s
    refused = answer.code == '401' && problem == 'nonce_used' && challenge.include?('oauth_problem="nonce_used"')
    required(refused, 'replay', status: answer.code.to_i, problem: problem)
    headers = { 'Authorization' => request['Authorization'] }.compact
    report('replayable', ok: true, method: 'GET', target: request.path, headers: headers, body: nil)
  end

  private

  def send(request)
    uri = URI(@settings['base'])
    Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https') { |http| http.request(request) }
  end

  # The form as the library takes it: repeated names as a list.
  def grouped(pairs)
    pairs.group_by(&:first).transform_values { |same| same.length == 1 ? same[0][1] : same.map(&:last) }
  end

  # The library sends a form in an order of its own.
  def sorted(pairs)
    pairs.sort
  end

  # The application's own pairs: in the query and body placements the protocol's stand beside them.
  def without_oauth(pairs)
    pairs.reject { |name, _| name.start_with?('oauth_') }
  end
end

settings = JSON.parse(File.read(ARGV.fetch(0), encoding: 'UTF-8'))
cases = JSON.parse(File.read(settings['cases'], encoding: 'UTF-8'))
dance = Dance.new(settings)
dance.connect
cases.each do |one|
  unfit = one['unfit'] || {}
  reason = unfit[CLIENT] || unfit["#{CLIENT}/#{settings['placement']}"]
  reason ? report(one['name'], ok: true, skipped: reason) : dance.call(one)
end
if settings['two_legged_user']
  two_legged = { 'name' => 'two-legged call', 'method' => 'GET', 'target' => '/api/echo?a=1', 'query' => [%w[a 1]] }
  dance.call(two_legged, user: settings['two_legged_user'], token: nil)
end
last = { 'name' => 'the call to replay', 'method' => 'GET', 'target' => '/api/echo?last=1', 'query' => [%w[last 1]] }
dance.replay(dance.call(last))
