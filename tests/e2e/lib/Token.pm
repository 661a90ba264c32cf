# SPDX-License-Identifier: ISC
#
# Access tokens as a provider hands them out, and a Dovecot that takes them: JSON Web Tokens with a
# shared key, which it checks by itself.
package Token;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use File::Path qw(make_path);
use MIME::Base64 qw(encode_base64 encode_base64url);
use Dovecot;

my $KEY = 'a key of thirty-two bytes or so.';

# One for this user, good for so many seconds from now (negative: no more), and longer by a claim of
# so many letters.
sub jwt {
	my ($user, $seconds, $longer) = @_;
	my $now    = time;
	my $head   = encode_base64url('{"alg":"HS256","typ":"JWT"}');
	my $claims = encode_base64url(sprintf '{"sub":"%s","scope":"mail","iat":%d,"exp":%d,"more":"%s"}',
		$user, $now - 7200, $now + $seconds, 'x' x ($longer // 0));
	return "$head.$claims." . encode_base64url(hmac_sha256("$head.$claims", $KEY));
}

# What Dovecot->new takes as "more", with its files put into this folder. Who is refused is not made to
# wait.
sub settings {
	my ($dir) = @_;
	make_path("$dir/keys/default/HS256");
	Dovecot::write_file("$dir/keys/default/HS256/default", encode_base64($KEY, ''));
	Dovecot::write_file("$dir/oauth2.conf", "introspection_mode = local\n"
		. "local_validation_key_dict = fs:posix:prefix=$dir/keys/\n"
		. "username_attribute = sub\nscope = mail\n"
		. "openid_configuration_url = https://provider.example/openid\n");
	return <<"END";
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $dir/oauth2.conf
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
END
}

1;
