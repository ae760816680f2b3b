# frozen_string_literal: true

# A browser's part of the dance: whatever forms the pages hold are read from the pages.

require 'cgi'
require 'net/http'
require 'uri'

# A browser without pictures: it keeps cookies, signs in and approves.
class Browser
  def initialize(user, password)
    @user = user
    @password = password
    @jar = {}
  end

  # Opens a page, signs in and approves; returns the URL at which the browser leaves for the consumer.
  def approve(page, callback)
    answer = visit(Net::HTTP::Get, page)
    10.times do
      if answer.is_a?(Net::HTTPRedirection)
        page = URI.join(page, answer['Location']).to_s
        return page if page.start_with?(callback)

        answer = visit(Net::HTTP::Get, page)
        next
      end
      abort "#{page} answered #{answer.code}: #{answer.body[0, 500]}" unless answer.is_a?(Net::HTTPOK)
      form, pairs = fill(forms(answer.body))
      abort 'a form that changes something is sent by POST' unless form['method'].to_s.casecmp?('post')
      page = URI.join(page, form['action'] || '').to_s
      answer = visit(Net::HTTP::Post, page, pairs)
    end
    abort 'ten pages and no end'
  end

  private

  def visit(verb, page, pairs = nil)
    uri = URI(page)
    request = verb.new(uri)
    request['Cookie'] = @jar.map { |name, value| "#{name}=#{value}" }.join('; ') unless @jar.empty?
    request.set_form_data(pairs) if pairs
    answer = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https') { |http| http.request(request) }
    (answer.get_fields('Set-Cookie') || []).each do |line|
      name, value = line.split(';').first.split('=', 2)
      line.match?(/max-age=0/i) ? @jar.delete(name) : @jar[name] = value
    end
    answer
  end

  # Chooses the form that a person would, and fills it in.
  def fill(forms)
    forms.each do |form|
      named = form['fields'].select { |field| field['name'] }
      if named.any? { |field| field['type'] == 'password' }
        said = { 'text' => @user, 'email' => @user, 'password' => @password }
        named = named.reject { |field| field['type'] == 'submit' }
        return form, named.map { |field| [field['name'], said.fetch(field['type'], field['value'])] }
      elsif named.any? { |field| field['name'] == 'approve' }
        named = named.reject { |field| field['type'] == 'submit' && field['name'] != 'approve' }
        return form, named.map { |field| [field['name'], field['value']] }
      end
    end
    abort 'no form on the page that asks for a password or an approval'
  end

  # Every form of a page: where it goes, its fields and its buttons.
  def forms(page)
    page.force_encoding('UTF-8').scan(%r{<form\b([^>]*)>(.*?)</form>}mi).map do |head, inside|
      fields = inside.scan(/<(input|button)\b([^>]*)>/mi).map do |tag, rest|
        { 'type' => tag.casecmp?('input') ? 'text' : 'submit', 'value' => '' }.merge(attributes(rest))
      end
      attributes(head).merge('fields' => fields)
    end
  end

  def attributes(tag)
    tag.scan(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/).to_h do |name, *values|
      [name.downcase, CGI.unescapeHTML(values.compact.first || '')]
    end
  end
end
